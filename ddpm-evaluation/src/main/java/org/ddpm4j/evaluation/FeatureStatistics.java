package org.ddpm4j.evaluation;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Mean and covariance of features, in double precision. Those of parts of a data set are merged
 * into those of the whole without loss (Chan, Golub and LeVeque 1983, "Algorithms for computing the
 * sample variance", eq. 2.1), so that no more than a few hundred features need be in memory and the
 * rounding errors do not grow with their mean. Immutable.
 */
public final class FeatureStatistics implements Serializable {

  private static final long serialVersionUID = 1L;

  /** Images whose features are centred together. */
  private static final int BLOCK = 512;

  private final long count;

  /** {@code [D]}. */
  private final double[] mean;

  /** The sum of the outer products of the centred features, {@code [D,D]} row by row. */
  private final double[] scatter;

  FeatureStatistics(long count, double[] mean, double[] scatter) {
    this.count = count;
    this.mean = mean;
    this.scatter = scatter;
  }

  /**
   * Of no images.
   *
   * @param dimensions D, at least 1
   * @return what others are merged into
   * @throws IllegalArgumentException if there are fewer, or more than a matrix has room for
   */
  public static FeatureStatistics empty(int dimensions) {
    if (dimensions < 1 || (long) dimensions * dimensions > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          Text.format(
              "There are no statistics of %d features; expected 1 to %d.",
              dimensions, (int) Math.sqrt(Integer.MAX_VALUE)));
    }
    return new FeatureStatistics(0, new double[dimensions], new double[dimensions * dimensions]);
  }

  /**
   * Of some images.
   *
   * @param features of at least one image
   * @return their statistics
   * @throws IllegalArgumentException if there are no images, or a feature is not finite
   */
  public static FeatureStatistics of(Features features) {
    Objects.requireNonNull(features, "features");
    if (features.count() == 0) {
      throw new IllegalArgumentException("Statistics need the features of at least one image.");
    }
    FeatureStatistics all = empty(features.dimensions());
    for (int first = 0; first < features.count(); first += BLOCK) {
      all = all.merge(ofBlock(features, first, Math.min(first + BLOCK, features.count())));
    }
    return all;
  }

  private static FeatureStatistics ofBlock(Features features, int first, int end) {
    int dimensions = features.dimensions();
    double[] mean = new double[dimensions];
    for (int i = first; i < end; i++) {
      for (int j = 0; j < dimensions; j++) {
        mean[j] += features.values()[i][j] / (double) (end - first);
      }
    }
    for (double value : mean) {
      if (!Double.isFinite(value)) {
        throw new IllegalArgumentException(
            Text.format(
                "A feature of the images %d to %d is not finite; look at the images, or at the weights of the network.",
                first, end - 1));
      }
    }
    INDArray centred =
        features
            .matrix(first, end)
            .subiRowVector(Nd4j.create(mean, new long[] {dimensions}, DataType.DOUBLE));
    double[] scatter = centred.transpose().mmul(centred).dup('c').data().asDouble();
    return new FeatureStatistics(end - first, mean, scatter);
  }

  /**
   * Of these images and others together.
   *
   * @param other statistics of features of the same length
   * @return the statistics of all
   * @throws IllegalArgumentException if the lengths differ
   */
  public FeatureStatistics merge(FeatureStatistics other) {
    requireSameDimensions(other);
    if (count == 0 || other.count == 0) {
      return count == 0 ? other : this;
    }
    long total = count + other.count;
    int dimensions = mean.length;
    double[] difference = new double[dimensions];
    double[] newMean = new double[dimensions];
    for (int i = 0; i < dimensions; i++) {
      difference[i] = other.mean[i] - mean[i];
      newMean[i] = mean[i] + difference[i] * other.count / total;
    }
    double factor = (double) count * other.count / total;
    double[] newScatter = new double[scatter.length];
    for (int i = 0; i < dimensions; i++) {
      for (int j = 0; j < dimensions; j++) {
        int at = i * dimensions + j;
        newScatter[at] = scatter[at] + other.scatter[at] + factor * difference[i] * difference[j];
      }
    }
    return new FeatureStatistics(total, newMean, newScatter);
  }

  void requireSameDimensions(FeatureStatistics other) {
    if (mean.length != other.mean.length) {
      throw new IllegalArgumentException(
          Text.format(
              "Features of %d numbers cannot be compared with features of %d; take those of one network.",
              mean.length, other.mean.length));
    }
  }

  /** {@return the number of images, at least 0} */
  public long count() {
    return count;
  }

  /** {@return the length of the features of one image, D} */
  public int dimensions() {
    return mean.length;
  }

  /** {@return the mean in a new array, {@code [D]}} */
  public double[] mean() {
    return mean.clone();
  }

  /**
   * The unbiased estimate of the covariance, as NumPy's {@code cov}.
   *
   * @return a new array, {@code [D,D]} row by row
   * @throws IllegalStateException if there are fewer than two images
   */
  public double[] covariance() {
    if (count < 2) {
      throw new IllegalStateException(
          Text.format(
              "The features of %d images have no covariance; at least 2 are needed.", count));
    }
    double[] covariance = scatter.clone();
    for (int i = 0; i < covariance.length; i++) {
      covariance[i] /= count - 1;
    }
    return covariance;
  }

  /** The sum of the outer products of the centred features, {@code [D,D]} row by row. */
  double[] scatter() {
    return scatter.clone();
  }

  /** As in {@code 64 features of 60000 images}. */
  @Override
  public String toString() {
    return Text.format("%d feature(s) of %d image(s)", mean.length, count);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FeatureStatistics that
        && count == that.count
        && Arrays.equals(mean, that.mean)
        && Arrays.equals(scatter, that.scatter);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(mean);
  }
}
