package org.ddpm4j.schedules;

/**
 * The log SNR is spread over the timesteps as Laplace's distribution spreads it, around 0 and with
 * b = 1/2 (Hang and Gu 2024, table 1, whose λ is log SNR, twice that of DPM-Solver): {@code λ(u) =
 * -b sgn(1/2-u) log(1 - 2|1/2-u| + 1e-6)} for u = t/T in 0..1, and {@code ᾱ(u) = e^λ/(1+e^λ)}. Most
 * timesteps lie where signal and noise are about equal. The 1e-6 is diffusers', without which λ is
 * infinite at both ends.
 *
 * @param power of {@code e^λ/(1+e^λ)} that is ᾱ, positive and finite: 1 in the paper; 1/2 in
 *     diffusers, which takes √ᾱ for ᾱ
 */
public record LaplaceSchedule(double power) implements BetaSchedule {

  private static final double B = 0.5;
  private static final double ENDS = 1e-6;

  /**
   * Checks the power.
   *
   * @throws IllegalArgumentException if it is not positive and finite
   */
  public LaplaceSchedule {
    Requirements.require(
        Requirements.isPositive(power),
        "The power of the Laplace schedule is %s; it must be positive and finite.",
        power);
  }

  /**
   * The schedule of Hang and Gu 2024.
   *
   * @return ᾱ of e^λ/(1+e^λ), from 0.999 to 0.001
   */
  public static LaplaceSchedule paper() {
    return new LaplaceSchedule(1);
  }

  /**
   * diffusers' {@code laplace}.
   *
   * @return ᾱ of the root of the paper's, down to 0.032
   */
  public static LaplaceSchedule diffusers() {
    return new LaplaceSchedule(0.5);
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
    double lambda = -B * Math.copySign(1, 0.5 - u) * Math.log(1 - 2 * Math.abs(0.5 - u) + ENDS);
    double snr = Math.exp(lambda);
    return Math.pow(snr / (1 + snr), power);
  }
}
