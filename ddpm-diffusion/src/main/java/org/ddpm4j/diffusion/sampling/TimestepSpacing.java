package org.ddpm4j.diffusion.sampling;

import java.util.Locale;

/**
 * Which times of a chain of T timesteps a run of S steps visits (Lin et al. 2024, table 2, and
 * diffusers' {@code timestep_spacing}).
 */
public enum TimestepSpacing {
  /** {@code i ⌊T/S⌋}, i = S-1..0: ends at 0, and begins short of T-1. */
  LEADING {
    @Override
    double time(int i, int timesteps, int steps) {
      return (double) i * (timesteps / steps);
    }
  },
  /** {@code T - i T/S - 1}, rounded, i = 0..S-1: begins at T-1, where nothing but noise is left. */
  TRAILING {
    @Override
    double time(int i, int timesteps, int steps) {
      // diffusers' floating-point error included: where T/S is no binary fraction, it decides the
      // rounding of a half.
      double step = timesteps - (timesteps - (double) timesteps / steps);
      return Math.rint(timesteps - (steps - 1 - i) * step) - 1;
    }
  },
  /** {@code i (T-1)/(S-1)}, i = S-1..0: both ends; not rounded. */
  LINSPACE {
    @Override
    double time(int i, int timesteps, int steps) {
      return i == steps - 1 ? timesteps - 1 : i * ((timesteps - 1.0) / (steps - 1));
    }
  };

  /** The time number i of S, counted from the clean end. */
  abstract double time(int i, int timesteps, int steps);

  /**
   * The times, which lie between timesteps for {@link #LINSPACE} alone.
   *
   * @param timesteps T
   * @param steps S, from 1 to T
   * @return S descending times from 0 to T-1
   * @throws IllegalArgumentException if S is out of its range
   */
  public double[] times(int timesteps, int steps) {
    if (steps < 1 || steps > timesteps) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%d steps on %d timesteps are not possible; there must be 1 to %d.",
              steps,
              timesteps,
              timesteps));
    }
    double[] times = new double[steps];
    for (int k = 0; k < steps; k++) {
      times[k] = time(steps - 1 - k, timesteps, steps);
    }
    return times;
  }

  /**
   * The times for a sampler that goes from its last time to clean images at one go and so has no
   * use for t = 0: as {@link #times}, but where these end at 0, the first S of S+1.
   *
   * @param timesteps T
   * @param steps S, from 1 to T, or to T-1 where times end at 0
   * @return S descending times from 0 to T-1
   * @throws IllegalArgumentException if S is out of its range
   */
  public double[] timesAboveZero(int timesteps, int steps) {
    if (this == TRAILING) {
      return times(timesteps, steps);
    }
    if (steps < 1 || steps >= timesteps) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%d steps above timestep 0 of %d timesteps are not possible; there must be 1 to %d.",
              steps,
              timesteps,
              timesteps - 1));
    }
    double[] times = new double[steps];
    for (int k = 0; k < steps; k++) {
      times[k] = time(steps - k, timesteps, steps + 1);
    }
    return times;
  }
}
