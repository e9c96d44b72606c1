package org.ddpm4j.evaluation;

import java.util.Arrays;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Squared Euclidean distances between features, a few rows at a time. */
final class Neighbours {

  private static final int BLOCK = 256;

  private Neighbours() {}

  /** Takes the distances of one image to all others. */
  @FunctionalInterface
  interface RowTaker {

    /**
     * One image's distances.
     *
     * @param image its number among the first set
     * @param squares the squared distances to the second set, not to be kept
     */
    void take(int image, double[] squares);
  }

  /** The squared distances of each image of a set to all of another. */
  static void forEachRow(Features from, Features to, RowTaker taker) {
    from.requireSameDimensions(to);
    from.requireFinite();
    to.requireFinite();
    INDArray others = to.matrix().transpose();
    double[] otherSquares = squares(to);
    double[] row = new double[to.count()];
    for (int first = 0; first < from.count(); first += BLOCK) {
      int end = Math.min(first + BLOCK, from.count());
      double[] products = from.matrix(first, end).mmul(others).dup('c').data().asDouble();
      for (int i = first; i < end; i++) {
        double square = square(from.values()[i]);
        for (int j = 0; j < row.length; j++) {
          double product = products[(i - first) * row.length + j];
          row[j] = Math.max(0, square + otherSquares[j] - 2 * product);
        }
        taker.take(i, row);
      }
    }
  }

  private static double[] squares(Features features) {
    return Arrays.stream(features.values()).mapToDouble(Neighbours::square).toArray();
  }

  private static double square(float[] row) {
    double sum = 0;
    for (float value : row) {
      sum += (double) value * value;
    }
    return sum;
  }

  /**
   * The squared distance of each image to the k-th nearest other of the same set.
   *
   * @param features of more than k images
   * @param k at least 1
   * @return {@code [N]}
   * @throws IllegalArgumentException if there are too few images
   */
  static double[] radii(Features features, int k) {
    if (k < 1 || features.count() <= k) {
      throw new IllegalArgumentException(
          Text.format(
              "%d images have no %d-th nearest neighbours; take more images.",
              features.count(), k));
    }
    double[] radii = new double[features.count()];
    forEachRow(
        features,
        features,
        (image, squares) -> {
          squares[image] = Double.POSITIVE_INFINITY;
          radii[image] = smallest(squares, k);
        });
    return radii;
  }

  /** The k-th smallest of some values. */
  private static double smallest(double[] values, int k) {
    double[] best = new double[k];
    Arrays.fill(best, Double.POSITIVE_INFINITY);
    for (double value : values) {
      if (value < best[k - 1]) {
        int at = k - 1;
        for (; at > 0 && best[at - 1] > value; at--) {
          best[at] = best[at - 1];
        }
        best[at] = value;
      }
    }
    return best[k - 1];
  }
}
