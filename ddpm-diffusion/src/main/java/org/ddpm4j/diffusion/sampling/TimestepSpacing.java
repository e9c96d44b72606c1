package org.ddpm4j.diffusion.sampling;

import java.util.Locale;
import org.ddpm4j.io.Text;

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
    requireSteps(timesteps, steps);
    double[] times = new double[steps];
    for (int k = 0; k < steps; k++) {
      times[k] = time(steps - 1 - k, timesteps, steps);
    }
    return times;
  }

  /**
   * The times for a sampler that goes from its last time to clean images at one go and so has no
   * use for t = 0: as {@link #times}, but where these end at 0, the first S of S+1. As many steps
   * as timesteps visit them all.
   *
   * @param timesteps T
   * @param steps S, from 1 to T
   * @return S descending times from 0 to T-1
   * @throws IllegalArgumentException if S is out of its range
   */
  public double[] timesAboveZero(int timesteps, int steps) {
    return timesAboveZero(timesteps, timesteps, steps);
  }

  /**
   * The same for the beginning of a chain alone, whose end has too little signal for a solver.
   *
   * @param timesteps T
   * @param visited how many timesteps there are without the end, 1 to T
   * @param steps S, from 1 to T
   * @return descending times from 0 to {@code visited - 1}; S of them, but for {@link #TRAILING},
   *     whose steps are T/S long whatever is left out
   * @throws IllegalArgumentException if a number is out of its range
   */
  public double[] timesAboveZero(int timesteps, int visited, int steps) {
    if (visited < 1 || visited > timesteps) {
      throw new IllegalArgumentException(
          Text.format(
              "%d of %d timesteps cannot be visited; there must be 1 to %d.",
              visited, timesteps, timesteps));
    }
    if (this == TRAILING) {
      return trailing(timesteps, visited, steps);
    }
    requireSteps(visited, steps);
    double[] times = new double[steps];
    for (int k = 0; k < steps; k++) {
      times[k] = steps == visited ? visited - 1 - k : time(steps - k, visited, steps + 1);
    }
    return times;
  }

  private static double[] trailing(int timesteps, int visited, int steps) {
    double[] all = TRAILING.times(timesteps, steps);
    if (visited == timesteps) {
      return all;
    }
    double length = (double) timesteps / steps;
    double[] times = new double[(int) Math.ceil(visited / length)];
    for (int k = 0; k < times.length; k++) {
      times[k] = Math.max(0, Math.rint(visited - k * length) - 1);
    }
    return times;
  }

  /**
   * {@return the name on the command line, in files and in messages, for instance {@code leading}}
   */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  private static void requireSteps(int timesteps, int steps) {
    if (steps < 1 || steps > timesteps) {
      throw new IllegalArgumentException(
          Text.format(
              "%d steps on %d timesteps are not possible; there must be 1 to %d.",
              steps, timesteps, timesteps));
    }
  }
}
