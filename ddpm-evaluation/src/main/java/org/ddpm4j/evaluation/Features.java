package org.ddpm4j.evaluation;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What an extractor has found in N images. The arrays are handed on and not copied: nobody writes
 * to them.
 *
 * @param values the features, {@code [N][D]}
 * @param probabilities of the network's K classes, {@code [N][K]}; K is 0 where it is no classifier
 */
public record Features(float[][] values, float[][] probabilities) {

  /**
   * Checks the shapes.
   *
   * @throws IllegalArgumentException if there are not as many of both, or rows differ in length
   */
  public Features {
    Objects.requireNonNull(values, "values");
    Objects.requireNonNull(probabilities, "probabilities");
    requireRows(values, "features");
    requireRows(probabilities, "probabilities");
    if (values.length != probabilities.length) {
      throw new IllegalArgumentException(
          Text.format(
              "There are features of %d image(s) and probabilities of %d; each image has both.",
              values.length, probabilities.length));
    }
  }

  private static void requireRows(float[][] rows, String what) {
    for (float[] row : rows) {
      if (row.length != rows[0].length) {
        throw new IllegalArgumentException(
            Text.format(
                "One image has %d %s and another %d; all have the same number.",
                rows[0].length, what, row.length));
      }
    }
  }

  /**
   * Features of a network that knows no classes.
   *
   * @param values the features, {@code [N][D]}
   * @return the features, with no probabilities
   */
  public static Features of(float[][] values) {
    Objects.requireNonNull(values, "values");
    return new Features(values, new float[values.length][0]);
  }

  /** {@return the number of images, N} */
  public int count() {
    return values.length;
  }

  /**
   * The length of the features of one image.
   *
   * @return D, or 0 where there are no images
   */
  public int dimensions() {
    return values.length == 0 ? 0 : values[0].length;
  }

  /**
   * How many classes the network tells apart.
   *
   * @return K, or 0 if it is no classifier or there are no images
   */
  public int classes() {
    return probabilities.length == 0 ? 0 : probabilities[0].length;
  }

  /**
   * The class that the network takes an image for.
   *
   * @param image 0..N-1
   * @return the most probable class
   */
  public int likeliestClass(int image) {
    float[] row = probabilities[image];
    int best = 0;
    for (int k = 1; k < row.length; k++) {
      if (row[k] > row[best]) {
        best = k;
      }
    }
    return best;
  }

  /**
   * Some of the images.
   *
   * @param images which, 0..N-1
   * @return their features, in that order
   */
  public Features select(int... images) {
    return new Features(
        IntStream.of(images).mapToObj(i -> values[i]).toArray(float[][]::new),
        IntStream.of(images).mapToObj(i -> probabilities[i]).toArray(float[][]::new));
  }

  /**
   * Several one after the other.
   *
   * @param parts of one extractor
   * @return the features of all images
   */
  public static Features concat(List<Features> parts) {
    Objects.requireNonNull(parts, "parts");
    return new Features(
        parts.stream().flatMap(part -> Arrays.stream(part.values)).toArray(float[][]::new),
        parts.stream().flatMap(part -> Arrays.stream(part.probabilities)).toArray(float[][]::new));
  }

  /**
   * Refuses features that no measure can tell anything of: comparisons with NaN are all false, so
   * that such an image would be far from all others and close to none, in silence.
   *
   * @throws IllegalArgumentException if a feature is not finite
   */
  void requireFinite() {
    requireFinite(values, "feature");
  }

  /** The same of the probabilities. */
  void requireFiniteProbabilities() {
    requireFinite(probabilities, "probability");
  }

  private static void requireFinite(float[][] rows, String what) {
    for (int i = 0; i < rows.length; i++) {
      for (float value : rows[i]) {
        if (!Float.isFinite(value)) {
          throw new IllegalArgumentException(
              Text.format(
                  "A %s of image %d is not finite; look at the image, or at the weights of the network.",
                  what, i));
        }
      }
    }
  }

  /**
   * Refuses features of another network.
   *
   * @throws IllegalArgumentException if their lengths differ
   */
  void requireSameDimensions(Features other) {
    if (dimensions() != other.dimensions()) {
      throw new IllegalArgumentException(
          Text.format(
              "Features of %d numbers cannot be compared with features of %d; take those of one network.",
              dimensions(), other.dimensions()));
    }
  }

  /** Rows as a matrix in double precision, {@code [end-first,D]}. */
  INDArray matrix(int first, int end) {
    double[] flat = new double[(end - first) * dimensions()];
    int at = 0;
    for (int i = first; i < end; i++) {
      for (float value : values[i]) {
        flat[at++] = value;
      }
    }
    return Nd4j.create(flat, new long[] {end - first, dimensions()}, DataType.DOUBLE);
  }

  INDArray matrix() {
    return matrix(0, count());
  }
}
