package org.ddpm4j.schedules;

/**
 * ᾱ falls along a logistic curve (Jabri et al. 2022, figure 8): {@code ᾱ(u) = (σ(x(1)) - σ(x(u))) /
 * (σ(x(1)) - σ(x(0)))} with {@code x(u) = (start + (end - start) u) / τ} for u = t/T in 0..1. Better
 * than the cosine for images larger than 64x64. β is at most 0.999, since ᾱ(1) is 0.
 *
 * @param start of the curve, finite
 * @param end of the curve, finite, greater than {@code start}
 * @param tau by which both are divided, positive
 */
public record SigmoidSignalSchedule(double start, double end, double tau) implements BetaSchedule {

  private static final double PAPER_END = 3;

  /**
   * Checks the curve.
   *
   * @throws IllegalArgumentException if it does not rise, or a number is not finite
   */
  public SigmoidSignalSchedule {
    if (!(Double.isFinite(start) && Double.isFinite(end) && start < end)) {
      throw new IllegalArgumentException(
          "The sigmoid goes from "
              + start
              + " to "
              + end
              + "; both must be finite, the end greater than the start.");
    }
    if (!(tau > 0 && tau < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "tau of the sigmoid is " + tau + "; it must be positive and finite.");
    }
  }

  /**
   * The schedule of Jabri et al. 2022.
   *
   * @return from -3 to 3, τ = 1
   */
  public static SigmoidSignalSchedule paper() {
    return new SigmoidSignalSchedule(-PAPER_END, PAPER_END, 1);
  }

  @Override
  public double[] betas(int timesteps) {
    return AlphaCumprodBetas.of(this::alphaCumprod, timesteps);
  }

  @Override
  public Clipping clipping(int timesteps) {
    return AlphaCumprodBetas.clipping(this::alphaCumprod, timesteps);
  }

  private double alphaCumprod(double u) {
    double x = (start + (end - start) * u) / tau;
    return difference(end / tau, x) / difference(end / tau, start / tau);
  }

  /** {@code σ(b) - σ(a)} without its cancellation. */
  private static double difference(double b, double a) {
    return Math.sinh((b - a) / 2) / (2 * Math.cosh(a / 2) * Math.cosh(b / 2));
  }
}
