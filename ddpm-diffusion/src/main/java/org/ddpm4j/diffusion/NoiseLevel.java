package org.ddpm4j.diffusion;

import java.util.Objects;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * How noisy an image is: {@code x_t = α x0 + σ ε} with {@code α = √ᾱ} and {@code σ = √(1-ᾱ)}. Time
 * and ᾱ usually belong together; samplers that choose ρ first may round the time.
 *
 * @param t what a network is asked with: a time from -1, where nothing has been added yet, to T-1,
 *     which may lie between two timesteps; or what else the network knows for it; finite
 * @param alphaCumprod ᾱ, the signal's share of the variance, in [0,1]
 */
public record NoiseLevel(double t, double alphaCumprod) {

  private static final double ROUNDING = 1e-12;

  /** No noise: {@code ᾱ_{-1} = 1}. No network is asked here. */
  public static final NoiseLevel CLEAN = new NoiseLevel(-1, 1);

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public NoiseLevel {
    if (!Double.isFinite(t)) {
      throw new IllegalArgumentException(
          Text.format("The time of a noise level is %s; it must be finite.", t));
    }
    if (!(alphaCumprod >= 0 && alphaCumprod <= 1)) {
      throw new IllegalArgumentException(
          Text.format("ᾱ of a noise level is %s; it must be from 0 to 1.", alphaCumprod));
    }
  }

  /**
   * The level of a timestep.
   *
   * @param schedule of the chain
   * @param t the timestep, zero-based
   * @return the level
   * @throws IndexOutOfBoundsException if the timestep is not in 0..T-1
   */
  public static NoiseLevel of(NoiseSchedule schedule, int t) {
    Objects.requireNonNull(schedule, "schedule");
    return new NoiseLevel(t, schedule.alphasCumprod(t));
  }

  /**
   * The level of a time between two timesteps, where ρ is interpolated linearly.
   *
   * @param schedule of the chain
   * @param t the time, from 0 to T-1
   * @return the level
   * @throws IndexOutOfBoundsException if the time is not in 0..T-1
   */
  public static NoiseLevel between(NoiseSchedule schedule, double t) {
    Objects.requireNonNull(schedule, "schedule");
    int below = (int) Math.floor(t);
    double share = t - below;
    if (share == 0) {
      return of(schedule, below);
    }
    double rho = (1 - share) * of(schedule, below).rho() + share * of(schedule, below + 1).rho();
    return new NoiseLevel(t, alphaCumprod(rho));
  }

  /**
   * The level of a noise-to-signal ratio. Its time is found by interpolating log ρ between the
   * timesteps, and is that of the first or last timestep where ρ lies beyond all of them.
   *
   * @param schedule of the chain
   * @param rho ρ = σ/α, positive
   * @return the level
   * @throws IllegalArgumentException if ρ is not positive
   */
  public static NoiseLevel ofRho(NoiseSchedule schedule, double rho) {
    Objects.requireNonNull(schedule, "schedule");
    if (!(rho > 0)) {
      throw new IllegalArgumentException(
          Text.format("The noise-to-signal ratio is %s; it must be positive.", rho));
    }
    // Rounded down a little, so that a ratio which is a timestep's but for rounding finds it.
    int above = firstAtLeast(schedule, rho * (1 - ROUNDING));
    NoiseLevel next = of(schedule, above);
    if (Math.abs(next.rho() - rho) <= ROUNDING * rho) {
      return next;
    }
    if (above == 0 || next.rho() < rho) {
      return new NoiseLevel(above, alphaCumprod(rho));
    }
    double low = Math.log(of(schedule, above - 1).rho());
    double share = (Math.log(rho) - low) / (Math.log(next.rho()) - low);
    return new NoiseLevel(above - 1 + share, alphaCumprod(rho));
  }

  /** By bisection, because ρ grows with t; T-1 if no timestep has as much noise. */
  private static int firstAtLeast(NoiseSchedule schedule, double rho) {
    int from = 0;
    int to = schedule.timesteps() - 1;
    while (from < to) {
      int middle = (from + to) >>> 1;
      if (of(schedule, middle).rho() < rho) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }

  private static double alphaCumprod(double rho) {
    return 1 / (1 + rho * rho);
  }

  /**
   * The factor of the image.
   *
   * @return α = √ᾱ, in [0,1]
   */
  public double alpha() {
    return Math.sqrt(alphaCumprod);
  }

  /**
   * The factor of the noise.
   *
   * @return σ = √(1-ᾱ), in [0,1]
   */
  public double sigma() {
    return Math.sqrt(1 - alphaCumprod);
  }

  /**
   * The noise-to-signal ratio: σ of Karras et al. 2022 and of diffusers' {@code sigmas}, ρ of Zhang
   * and Chen 2023.
   *
   * @return ρ = σ/α, from 0 to infinity
   */
  public double rho() {
    return sigma() / alpha();
  }

  /**
   * Half the logarithm of the signal-to-noise ratio (Lu et al. 2022a, section 3.1).
   *
   * @return λ = log(α/σ), from minus to plus infinity
   */
  public double lambda() {
    return -Math.log(rho());
  }

  /**
   * The same noise at another time.
   *
   * @param newT what a network is to be asked with
   * @return the level
   * @throws IllegalArgumentException if it is out of range
   */
  public NoiseLevel withT(double newT) {
    return new NoiseLevel(newT, alphaCumprod);
  }
}
