package org.ddpm4j.diffusion.arithmetic;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.cpu.SingleExecution;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Arithmetic on batches of equal shape and any rank, each operation in one pass over the data and
 * without memory beside its result. Factors are rounded to the type of the arrays, and so is each
 * product and each sum, in the order of the terms: the results are those of ND4J's operations, bit
 * for bit but for {@link #standardDeviations}, which do the work where arrays are not of FLOAT, in
 * order and in the processor's memory.
 */
public final class BatchArithmetic {

  private BatchArithmetic() {}

  private static BatchOperations on(INDArray... arrays) {
    return TiledOperations.serve(arrays) ? TiledOperations.INSTANCE : Nd4jOperations.INSTANCE;
  }

  /**
   * A linear combination. Terms of factor 0 do not count, whatever is in them.
   *
   * @param factors of the terms, as many
   * @param terms at least one
   * @return {@code Σ factor·term}, a new array of the first term's type
   * @throws IllegalArgumentException if there are not as many factors as terms, or none
   */
  public static INDArray combine(double[] factors, List<INDArray> terms) {
    Objects.requireNonNull(factors, "factors");
    Objects.requireNonNull(terms, "terms");
    if (terms.isEmpty() || factors.length != terms.size()) {
      throw new IllegalArgumentException(
          Text.format(
              "A linear combination was given %d factors and %d terms; it needs as many of both, and one at least.",
              factors.length, terms.size()));
    }
    INDArray[] arrays = terms.toArray(INDArray[]::new);
    return on(arrays).combine(factors, arrays);
  }

  /**
   * The same of two terms.
   *
   * @param a factor of x
   * @param x the first term
   * @param b factor of y
   * @param y the second term
   * @return {@code a·x + b·y}, a new array of x's type
   */
  public static INDArray combine(double a, INDArray x, double b, INDArray y) {
    Objects.requireNonNull(x, "x");
    Objects.requireNonNull(y, "y");
    return on(x, y).combine(new double[] {a, b}, x, y);
  }

  /**
   * A batch times a factor.
   *
   * @param factor other than 0
   * @param x of any shape
   * @return {@code factor·x}, a new array
   */
  public static INDArray scale(double factor, INDArray x) {
    Objects.requireNonNull(x, "x");
    return on(x).combine(new double[] {factor}, x);
  }

  /**
   * A linear combination whose factors are those of each image. Here a factor of 0 counts.
   *
   * @param a factors of x, one for each image
   * @param x {@code [N,...]}
   * @param b factors of y, one for each image
   * @param y same shape and type
   * @return {@code a·x + b·y}, a new array
   * @throws IllegalArgumentException if there are not as many factors as images
   */
  public static INDArray combinePerImage(double[] a, INDArray x, double[] b, INDArray y) {
    Objects.requireNonNull(a, "a");
    Objects.requireNonNull(x, "x");
    Objects.requireNonNull(b, "b");
    Objects.requireNonNull(y, "y");
    if (a.length != x.size(0) || b.length != x.size(0)) {
      throw new IllegalArgumentException(
          Text.format(
              "%d and %d factors were given for %d image(s); each image needs one of each batch.",
              a.length, b.length, x.size(0)));
    }
    return on(x, y).combinePerImage(a, x, b, y);
  }

  /**
   * Goes from one batch towards another, and beyond it where the factor is more than 1.
   *
   * @param from where it begins
   * @param to where it arrives with the factor 1, same type
   * @param factor how far it goes
   * @return {@code factor·(to - from) + from}, a new array
   */
  public static INDArray towards(INDArray from, INDArray to, double factor) {
    Objects.requireNonNull(from, "from");
    Objects.requireNonNull(to, "to");
    return on(from, to).towards(from, to, factor);
  }

  /**
   * Adds to a batch, in its memory.
   *
   * @param x becomes {@code x + factor·y}
   * @param factor of y
   * @param y what is added
   */
  public static void addScaled(INDArray x, double factor, INDArray y) {
    Objects.requireNonNull(x, "x");
    Objects.requireNonNull(y, "y");
    on(x, y).addScaled(x, factor, y);
  }

  /**
   * Multiplies each image by a factor, in the batch's memory.
   *
   * @param x {@code [N,...]}, becomes {@code factor·x}
   * @param factors one for each image
   * @throws IllegalArgumentException if there are not as many factors as images
   */
  public static void scalePerImage(INDArray x, double... factors) {
    Objects.requireNonNull(x, "x");
    Objects.requireNonNull(factors, "factors");
    if (factors.length != x.size(0)) {
      throw new IllegalArgumentException(
          Text.format(
              "%d factors were given for %d image(s); each image needs one.",
              factors.length, x.size(0)));
    }
    on(x).scalePerImage(x, factors);
  }

  /**
   * The standard deviation of each image's elements, with Bessel's correction. Sums are in double
   * precision here.
   *
   * @param x {@code [N,...]}
   * @return {@code √(Σ(x - mean)²/(n-1))} of the n elements of each image; undefined (NaN) where n
   *     is 1 and where an element is not finite
   */
  public static double[] standardDeviations(INDArray x) {
    Objects.requireNonNull(x, "x");
    return on(x).standardDeviations(x);
  }

  /**
   * Values put into a range; what is no number stays so.
   *
   * @param x of any shape
   * @param min the least value
   * @param max the greatest, at least that
   * @return a new array
   */
  public static INDArray clip(INDArray x, double min, double max) {
    Objects.requireNonNull(x, "x");
    return on(x).clip(x, min, max);
  }

  /**
   * A batch, and the same once more behind it.
   *
   * @param x {@code [N,...]}
   * @return {@code [2N,...]}, a new array
   */
  public static INDArray twice(INDArray x) {
    Objects.requireNonNull(x, "x");
    return on(x).twice(x);
  }

  /**
   * Whether all values are finite.
   *
   * @param x of any shape
   * @return false if one is infinite or undefined
   */
  public static boolean isFinite(INDArray x) {
    Objects.requireNonNull(x, "x");
    return on(x).isFinite(x);
  }

  /**
   * The elements of an array where they lie, as long as the array lives.
   *
   * @param x any array
   * @return a buffer of all of them, if they are of FLOAT and in order in the processor's memory
   */
  public static Optional<FloatBuffer> floats(INDArray x) {
    Objects.requireNonNull(x, "x");
    return TiledOperations.serve(x) ? Optional.of(SingleExecution.buffer(x)) : Optional.empty();
  }
}
