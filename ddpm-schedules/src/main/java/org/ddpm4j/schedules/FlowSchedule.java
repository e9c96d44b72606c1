package org.ddpm4j.schedules;

/**
 * The straight way between image and noise, {@code x = (1-s) x0 + s ε} with s evenly spaced from
 * 1/T to 1 (rectified flow, Liu et al. 2023, eq. 1), as a chain that keeps the variance: {@code ᾱ =
 * (1-s)²/((1-s)² + s²)}. It ends without any signal.
 *
 * @param shift more timesteps of much noise above 1: {@code s' = shift s / (1 + (shift-1) s)}
 *     (Esser et al. 2024, eq. 23); positive and finite
 */
public record FlowSchedule(double shift) implements BetaSchedule {

  /**
   * Checks the shift.
   *
   * @throws IllegalArgumentException if it is not positive and finite
   */
  public FlowSchedule {
    Requirements.require(
        Requirements.isPositive(shift),
        "The shift of the flow is %s; it must be positive and finite.",
        shift);
  }

  /**
   * Without a shift.
   *
   * @return s evenly spaced
   */
  public static FlowSchedule straight() {
    return new FlowSchedule(1);
  }

  @Override
  public double[] betas(int timesteps) {
    return AlphaCumprodBetas.unclipped(u -> alphaCumprod(shifted(u)), timesteps);
  }

  /**
   * The share of noise after the shift.
   *
   * @param s before it, in [0,1]
   * @return in [0,1]
   */
  public double shifted(double s) {
    return shift * s / (1 + (shift - 1) * s);
  }

  /**
   * ᾱ of a share of noise.
   *
   * @param s in [0,1]
   * @return {@code (1-s)²/((1-s)² + s²)}
   */
  public static double alphaCumprod(double s) {
    return (1 - s) * (1 - s) / ((1 - s) * (1 - s) + s * s);
  }
}
