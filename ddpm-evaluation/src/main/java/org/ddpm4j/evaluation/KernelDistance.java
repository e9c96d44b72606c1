package org.ddpm4j.evaluation;

import java.util.Arrays;
import java.util.Objects;
import java.util.SplittableRandom;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The kernel distance (Bińkowski et al. 2018, "Demystifying MMD GANs", section 4): the squared
 * maximum mean discrepancy with the kernel {@code (x·y/D + 1)³}, without bias (Gretton et al. 2012,
 * eq. 3). With InceptionV3's features it is the KID. Its expectation does not depend on the number
 * of images, as that of the Fréchet distance does; single values may be below 0.
 *
 * @param value the mean over random subsets
 * @param standardDeviation of the subsets' values; figures in papers are given with it
 * @param subsets how many
 * @param subsetSize images of a subset, of each of both sides
 */
public record KernelDistance(double value, double standardDeviation, int subsets, int subsetSize) {

  private static final int SUBSETS = 50;
  private static final int LARGEST_SUBSET = 1000;
  private static final int SMALLEST_SUBSET = 2;

  /**
   * The error of the value, as far as subsets tell: they share images where there are not many more
   * than a subset takes, so that it is too small then.
   *
   * @return the standard deviation over the root of the number of subsets
   */
  public double error() {
    return standardDeviation / Math.sqrt(subsets);
  }

  /**
   * The distance of two sets of features, by 50 subsets of half of the images of the smaller set
   * and at most 1000.
   *
   * @param a features of at least 4 images
   * @param b the same of others, by the same network
   * @param seed of the choice of the subsets
   * @return the distance
   * @throws IllegalArgumentException if there are too few images, or features are of different
   *     length or not finite
   */
  public static KernelDistance between(Features a, Features b, long seed) {
    Objects.requireNonNull(b, "b");
    Objects.requireNonNull(a, "a");
    int size = Math.min(LARGEST_SUBSET, Math.min(a.count(), b.count()) / 2);
    return between(a, b, SUBSETS, size, seed);
  }

  /**
   * The distance of two sets of features.
   *
   * @param a features of some images
   * @param b the same of others, by the same network
   * @param subsets how many, at least 1
   * @param subsetSize images of a subset, at least 2, and at most as many as there are of each
   * @param seed of the choice of the subsets
   * @return the distance
   * @throws IllegalArgumentException if there are too few images, or features are of different
   *     length or not finite
   */
  public static KernelDistance between(
      Features a, Features b, int subsets, int subsetSize, long seed) {
    Objects.requireNonNull(b, "b");
    Objects.requireNonNull(a, "a");
    int fewest = Math.min(a.count(), b.count());
    if (subsets < 1 || subsetSize < SMALLEST_SUBSET || subsetSize > fewest) {
      throw new IllegalArgumentException(
          Text.format(
              "%d subset(s) of %d image(s) cannot be drawn of %d; take 1 or more of %d to %d, or more images.",
              subsets, subsetSize, fewest, SMALLEST_SUBSET, fewest));
    }
    a.requireSameDimensions(b);
    a.requireFinite();
    b.requireFinite();
    SplittableRandom random = new SplittableRandom(seed);
    double[] values = new double[subsets];
    for (int i = 0; i < subsets; i++) {
      values[i] =
          squaredDiscrepancy(
              a.select(RandomChoice.of(random, a.count(), subsetSize)),
              b.select(RandomChoice.of(random, b.count(), subsetSize)));
    }
    double mean = Arrays.stream(values).average().orElseThrow();
    double variance =
        Arrays.stream(values).map(value -> (value - mean) * (value - mean)).average().orElseThrow();
    return new KernelDistance(mean, Math.sqrt(variance), subsets, subsetSize);
  }

  /**
   * The unbiased estimate of the squared maximum mean discrepancy.
   *
   * @param a features of m images, at least 2
   * @param b features of n images, at least 2
   * @return the estimate, which may be below 0
   */
  static double squaredDiscrepancy(Features a, Features b) {
    INDArray x = a.matrix();
    INDArray y = b.matrix();
    double m = a.count();
    double n = b.count();
    return (sum(x, x) - diagonal(x)) / (m * (m - 1))
        + (sum(y, y) - diagonal(y)) / (n * (n - 1))
        - 2 * sum(x, y) / (m * n);
  }

  private static double sum(INDArray x, INDArray y) {
    double[] products = x.mmul(y.transpose()).data().asDouble();
    double sum = 0;
    for (double product : products) {
      sum += kernel(product, x.columns());
    }
    return sum;
  }

  private static double diagonal(INDArray x) {
    double sum = 0;
    for (double product : x.mul(x).sum(1).data().asDouble()) {
      sum += kernel(product, x.columns());
    }
    return sum;
  }

  private static double kernel(double product, int dimensions) {
    double base = product / dimensions + 1;
    return base * base * base;
  }
}
