package org.ddpm4j.diffusion;

import java.util.Arrays;
import java.util.Objects;
import java.util.function.IntFunction;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Sums of batches whose factors depend on the timestep of each image. */
final class PerImage {

  private PerImage() {}

  /**
   * A linear combination of two batches.
   *
   * @param a images, {@code [N,C,H,W]}
   * @param b noise or another batch of the same shape, cast to the type of {@code a}
   * @param factors of an image of {@code a} and of {@code b} at their timestep, two; asked once an
   *     image
   * @param t the timestep of each image, N of them
   * @return the sum of both times their factors, of the shape and type of {@code a}
   * @throws IllegalArgumentException if the shapes differ or {@code a} holds whole numbers
   */
  static INDArray combine(INDArray a, INDArray b, IntFunction<double[]> factors, int[] t) {
    Objects.requireNonNull(a, "images");
    Objects.requireNonNull(b, "noise or prediction");
    Objects.requireNonNull(t, "t");
    requireImages(a, t);
    if (!Arrays.equals(a.shape(), b.shape())) {
      throw new IllegalArgumentException(
          Text.format(
              "The noise has the shape %s where the images have %s.",
              Arrays.toString(b.shape()), Arrays.toString(a.shape())));
    }
    INDArray cast = b.castTo(a.dataType());
    double[][] pairs = Arrays.stream(t).mapToObj(factors).toArray(double[][]::new);
    INDArray sum = BatchArithmetic.combinePerImage(column(0, pairs), a, column(1, pairs), cast);
    if (cast != b) {
      // At once: the garbage collector, which sees only the small Java objects, may wait for hours.
      cast.close();
    }
    return sum;
  }

  private static double[] column(int index, double[]... pairs) {
    return Arrays.stream(pairs).mapToDouble(pair -> pair[index]).toArray();
  }

  private static void requireImages(INDArray images, int... t) {
    if (t.length != images.size(0)) {
      throw new IllegalArgumentException(
          Text.format("%d timesteps were given for %d image(s).", t.length, images.size(0)));
    }
    if (!images.dataType().isFPType()) {
      throw new IllegalArgumentException(
          Text.format(
              "The images are of type %s; noise needs FLOAT or DOUBLE, scaled to [-1,1].",
              images.dataType()));
    }
  }
}
