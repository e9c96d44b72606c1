package org.ddpm4j.kernels.ops;

/**
 * What an element costs in the {@linkplain BoundLoss bound}, and the derivatives by z and δ.
 *
 * @param nats the cost
 * @param byError by z, the error of the mean in units of the least deviation
 * @param byLogRatio by δ, the logarithm of the variance over the least one
 */
public record BoundTerm(double nats, double byError, double byLogRatio) {

  private static final double LOG_SQRT_TWO_PI = -StandardNormal.logDensity(0);

  /**
   * A step that is not the last: the divergence of its posterior from the reverse step.
   *
   * @param z error of the mean
   * @param logRatio δ
   * @return half of {@code δ + e^-δ - 1 + z² e^-δ}. Where δ is near 0 the first part, at least 0,
   *     has an error of 1e-16, which is nothing beside what else an image costs
   */
  public static BoundTerm divergence(double z, double logRatio) {
    double precision = Math.exp(-logRatio);
    double lost = Math.expm1(-logRatio);
    double square = z * z * precision;
    return new BoundTerm((logRatio + lost + square) / 2, z * precision, -(lost + square) / 2);
  }

  /**
   * The last step where it gives densities.
   *
   * @param z the reverse step's mean minus the image, in units of the least deviation
   * @param logRatio δ
   * @param inverseDeviation one over the least deviation
   * @return minus the logarithm of the density
   */
  public static BoundTerm density(double z, double logRatio, double inverseDeviation) {
    double precision = Math.exp(-logRatio);
    double square = z * z * precision;
    return new BoundTerm(
        (square + logRatio) / 2 + LOG_SQRT_TWO_PI - Math.log(inverseDeviation),
        z * precision,
        (1 - square) / 2);
  }

  /**
   * The last step where it gives probabilities to the bins of pixels.
   *
   * @param z the reverse step's mean minus the image, in units of the least deviation
   * @param logRatio δ
   * @param inverseDeviation one over the least deviation
   * @param x0 the element of the image
   * @param pixels the values of its channel
   * @return minus the logarithm of the probability of the bin that x0 is in; NaN where it is more
   *     than half a step outside of all
   */
  public static BoundTerm probability(
      double z, double logRatio, double inverseDeviation, double x0, BoundLoss.Pixels pixels) {
    double level = Math.rint((x0 - pixels.lower()) / pixels.step());
    if (!(level >= 0 && level <= pixels.last())) {
      return new BoundTerm(Double.NaN, Double.NaN, Double.NaN);
    }
    double shrinking = Math.exp(-logRatio / 2);
    double scale = inverseDeviation * shrinking;
    double middle = (pixels.lower() + level * pixels.step() - x0) * scale - z * shrinking;
    double width = pixels.step() * scale;
    StandardNormal.Interval bin =
        StandardNormal.interval(
            level == 0 ? Double.NEGATIVE_INFINITY : middle - width / 2,
            level == pixels.last() ? Double.POSITIVE_INFINITY : middle + width / 2,
            width);
    return new BoundTerm(-bin.logProbability(), bin.rise() * shrinking, bin.weightedRise() / 2);
  }
}
