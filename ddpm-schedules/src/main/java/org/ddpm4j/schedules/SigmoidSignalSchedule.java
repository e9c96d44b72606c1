package org.ddpm4j.schedules;

import java.util.Arrays;

/**
 * ᾱ falls along a logistic curve (Jabri et al. 2022, figure 8): {@code ᾱ(u) = (σ(x(1)) - σ(x(u))) /
 * (σ(x(1)) - σ(x(0)))} with {@code x(u) = (start + (end - start) u) / τ} for u = t/T in 0..1.
 * Better than the cosine for images larger than 64x64. β is at most 0.999, since ᾱ(1) is 0.
 *
 * @param start of the curve, finite
 * @param end of the curve, finite, greater than {@code start}
 * @param tau by which both are divided, positive
 */
public record SigmoidSignalSchedule(double start, double end, double tau) implements BetaSchedule {

  private static final double PAPER_END = 3;

  /** Of the code that followed it, lucidrains'. */
  private static final double MAX_BETA = 0.999;

  /**
   * Checks the curve.
   *
   * @throws IllegalArgumentException if it does not rise, or a number is not finite
   */
  public SigmoidSignalSchedule {
    Requirements.require(
        Double.isFinite(start) && Double.isFinite(end) && start < end,
        "The sigmoid goes from %s to %s; both must be finite, the end greater than the start.",
        start,
        end);
    Requirements.require(
        Requirements.isPositive(tau),
        "tau of the sigmoid is %s; it must be positive and finite.",
        tau);
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
    double[] betas = unclipped(timesteps);
    for (int t = 0; t < timesteps; t++) {
      betas[t] = Math.min(betas[t], MAX_BETA);
    }
    return betas;
  }

  @Override
  public Clipping clipping(int timesteps) {
    double[] betas = unclipped(timesteps);
    return new Clipping(0, (int) Arrays.stream(betas).filter(beta -> beta > MAX_BETA).count());
  }

  /** {@code 1 - ᾱ((t+1)/T) / ᾱ(t/T)}, of which the denominator of ᾱ is no part. */
  private double[] unclipped(int timesteps) {
    Requirements.requireTimesteps(timesteps);
    double[] betas = new double[timesteps];
    for (int t = 0; t < timesteps; t++) {
      double before = x((double) t / timesteps);
      betas[t] = difference(x((t + 1.0) / timesteps), before) / difference(x(1), before);
    }
    return betas;
  }

  private double x(double u) {
    return (start + (end - start) * u) / tau;
  }

  /** {@code σ(b) - σ(a)} without its cancellation. */
  private static double difference(double b, double a) {
    return Math.sinh((b - a) / 2) / (2 * Math.cosh(a / 2) * Math.cosh(b / 2));
  }
}
