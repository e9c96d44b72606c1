package org.ddpm4j.evaluation;

import java.util.Arrays;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Squared Euclidean distances between features, a few rows at a time. A product of matrices, {@code
 * |a|² + |b|² - 2ab}, is quick, but it does not find that a copy is 0 away, nor that two distances
 * are equal. Where its rounding errors would decide, the distance is taken feature by feature.
 */
final class Neighbours {

  private static final int BLOCK = 256;

  /** Twice the error of a sum of D products, for each of D, of both ways of taking a distance. */
  private static final double ROUNDING = 0x1p-51;

  private Neighbours() {}

  /** Takes the distances of one image to all others. */
  @FunctionalInterface
  interface RowTaker {

    /**
     * One image's distances.
     *
     * @param image its number among the first set
     * @param row its squared distances to the second set, not to be kept
     */
    void take(int image, Row row);
  }

  /** The squared distances of one image to all of a set. */
  static final class Row {

    private final float[][] others;
    private final double[] otherSquares;
    private final double[] quick;
    private float[] image;
    private double relativeError;
    private double imageSquare;

    private Row(Features others) {
      this.others = others.values();
      otherSquares = squaredLengths(others);
      quick = new double[this.others.length];
    }

    private void become(float[] nextImage, double[] products, int at) {
      image = nextImage;
      imageSquare = squaredLength(nextImage);
      relativeError = ROUNDING * (nextImage.length + 4);
      for (int j = 0; j < quick.length; j++) {
        quick[j] = imageSquare + otherSquares[j] - 2 * products[at + j];
      }
    }

    /** How many others there are. */
    int count() {
      return quick.length;
    }

    /** How far a quick distance may be from one that was taken feature by feature. */
    private double error(int other) {
      return relativeError * (imageSquare + otherSquares[other]);
    }

    /** The squared distance to one of the others: the same both ways, and 0 of a copy. */
    double square(int other) {
      float[] features = others[other];
      double sum = 0;
      for (int i = 0; i < image.length; i++) {
        double difference = (double) image[i] - features[i];
        sum += difference * difference;
      }
      return sum;
    }

    /** The sign of the squared distance to one of the others, less some square. */
    int compare(int other, double square) {
      double error = error(other);
      if (quick[other] + error < square) {
        return -1;
      }
      return quick[other] - error > square ? 1 : Double.compare(square(other), square);
    }

    /** The nearest of the others, the first where several are; -1 if there are none. */
    int nearest() {
      double bound = greatestOfSmallest(1, -1);
      int nearest = -1;
      double least = Double.POSITIVE_INFINITY;
      for (int j = 0; j < quick.length && least > 0; j++) {
        if (quick[j] - error(j) <= bound) {
          double square = square(j);
          if (square < least) {
            least = square;
            nearest = j;
          }
        }
      }
      return nearest;
    }

    /** The k-th smallest squared distance to the others but one. */
    private double smallest(int k, int without) {
      double bound = greatestOfSmallest(k, without);
      Smallest smallest = new Smallest(k);
      for (int j = 0; j < quick.length && smallest.greatest() > 0; j++) {
        if (j != without && quick[j] - error(j) <= bound) {
          smallest.add(square(j));
        }
      }
      return smallest.greatest();
    }

    /** What the k-th smallest squared distance is at most. */
    private double greatestOfSmallest(int k, int without) {
      Smallest smallest = new Smallest(k);
      for (int j = 0; j < quick.length; j++) {
        if (j != without) {
          smallest.add(quick[j] + error(j));
        }
      }
      return smallest.greatest();
    }
  }

  /** The k smallest of some values. */
  private static final class Smallest {

    private final double[] values;

    Smallest(int k) {
      values = new double[k];
      Arrays.fill(values, Double.POSITIVE_INFINITY);
    }

    void add(double value) {
      int at = values.length - 1;
      if (value < values[at]) {
        for (; at > 0 && values[at - 1] > value; at--) {
          values[at] = values[at - 1];
        }
        values[at] = value;
      }
    }

    /** Infinity before there were k. */
    double greatest() {
      return values[values.length - 1];
    }
  }

  /** The squared distances of each image of a set to all of another. */
  static void forEachRow(Features from, Features to, RowTaker taker) {
    from.requireSameDimensions(to);
    from.requireFinite();
    to.requireFinite();
    INDArray others = to.matrix().transpose();
    Row row = new Row(to);
    for (int first = 0; first < from.count(); first += BLOCK) {
      int end = Math.min(first + BLOCK, from.count());
      double[] products = from.matrix(first, end).mmul(others).dup('c').data().asDouble();
      for (int i = first; i < end; i++) {
        row.become(from.values()[i], products, (i - first) * row.count());
        taker.take(i, row);
      }
    }
  }

  private static double[] squaredLengths(Features features) {
    return Arrays.stream(features.values()).mapToDouble(Neighbours::squaredLength).toArray();
  }

  private static double squaredLength(float[] row) {
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
    forEachRow(features, features, (image, row) -> radii[image] = row.smallest(k, image));
    return radii;
  }
}
