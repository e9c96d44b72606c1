package org.ddpm4j.diffusion.bound;

import java.util.Arrays;
import java.util.Objects;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The Kullback-Leibler divergence of Gaussians, with all its terms. */
public final class KlDivergence {

  /** Below it, the series is more accurate than the difference, and a dozen terms suffice. */
  private static final double SERIES_BELOW = 0.25;

  private static final int SERIES_TERMS = 14;

  private KlDivergence() {}

  /**
   * {@code KL(N(mean1, e^logVariance1) ‖ N(mean2, e^logVariance2))} of one element.
   *
   * <p>Half of {@code d + e^-d - 1 + (mean1 - mean2)² e^-logVariance2} with d the difference of the
   * second logarithm and the first. The part in d, which is the same for every image where both
   * variances are fixed, is 0 only for equal variances.
   *
   * @param mean1 mean of the first distribution
   * @param logVariance1 log σ² of the first distribution
   * @param mean2 mean of the second distribution
   * @param logVariance2 log σ² of the second distribution
   * @return the divergence in nats, at least 0
   */
  public static double gaussian(
      double mean1, double logVariance1, double mean2, double logVariance2) {
    double difference = mean1 - mean2;
    return (ofVariances(logVariance2 - logVariance1)
            + difference * difference * Math.exp(-logVariance2))
        / 2;
  }

  /**
   * The divergences of images whose elements are independent.
   *
   * @param mean1 means of the first distribution, {@code [N,C,H,W]}
   * @param logVariance1 log σ² of the first distribution, same shape
   * @param mean2 means of the second distribution, same shape
   * @param logVariance2 log σ² of the second distribution, same shape
   * @return the divergence of each image in nats, summed over its elements, N of them
   * @throws IllegalArgumentException if the shapes differ
   */
  public static double[] gaussian(
      INDArray mean1, INDArray logVariance1, INDArray mean2, INDArray logVariance2) {
    Objects.requireNonNull(mean1, "mean1");
    Objects.requireNonNull(logVariance1, "logVariance1");
    Objects.requireNonNull(mean2, "mean2");
    Objects.requireNonNull(logVariance2, "logVariance2");
    double[] m1 = Elements.of(mean1, mean1);
    double[] l1 = Elements.of(logVariance1, mean1);
    double[] m2 = Elements.of(mean2, mean1);
    double[] l2 = Elements.of(logVariance2, mean1);
    double[] sums = new double[Math.toIntExact(mean1.size(0))];
    int perImage = m1.length / sums.length;
    Arrays.setAll(
        sums,
        n -> {
          double sum = 0;
          for (int i = n * perImage; i < (n + 1) * perImage; i++) {
            sum += gaussian(m1[i], l1[i], m2[i], l2[i]);
          }
          return sum;
        });
    return sums;
  }

  /** {@code d + e^-d - 1}, which is about d²/2 where both parts cancel. */
  static double ofVariances(double d) {
    if (Math.abs(d) > SERIES_BELOW) {
      return d + Math.expm1(-d);
    }
    double sum = 0;
    for (int k = SERIES_TERMS; k >= 2; k--) {
      sum = 1 - d / (k + 1) * sum;
    }
    return d * d / 2 * sum;
  }
}
