package org.ddpm4j.schedules;

/**
 * ᾱ falls exponentially: {@code ᾱ(u) = e^{-rate u}} for u = t/T in 0..1, so that β is the same at
 * every timestep whatever T, and ᾱ_T with it (diffusers' {@code exp}).
 *
 * @param rate -log ᾱ at the end of the chain, positive and finite
 */
public record ExponentialSchedule(double rate) implements BetaSchedule {

  /** Of diffusers. */
  private static final double DIFFUSERS_RATE = 12;

  /**
   * Checks the rate.
   *
   * @throws IllegalArgumentException if it is not positive and finite
   */
  public ExponentialSchedule {
    Requirements.require(
        Requirements.isPositive(rate),
        "The rate of the exponential schedule is %s; it must be positive and finite.",
        rate);
  }

  /**
   * The rate of diffusers.
   *
   * @return ᾱ_T of e^-12, 6.1e-6
   */
  public static ExponentialSchedule diffusers() {
    return new ExponentialSchedule(DIFFUSERS_RATE);
  }

  @Override
  public double[] betas(int timesteps) {
    return AlphaCumprodBetas.clipped(this::alphaCumprod, timesteps);
  }

  @Override
  public Clipping clipping(int timesteps) {
    return AlphaCumprodBetas.clipping(this::alphaCumprod, timesteps);
  }

  private double alphaCumprod(double u) {
    return Math.exp(-rate * u);
  }
}
