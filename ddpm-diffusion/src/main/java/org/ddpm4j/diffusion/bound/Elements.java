package org.ddpm4j.diffusion.bound;

import java.util.Arrays;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The elements of arrays, for loops in double precision. */
final class Elements {

  private Elements() {}

  /**
   * Copies the elements.
   *
   * @param array of any floating-point type
   * @param like an array of the shape that it must have
   * @return its elements, the last axis varying fastest
   * @throws IllegalArgumentException if the shapes differ
   */
  static double[] of(INDArray array, INDArray like) {
    if (!Arrays.equals(array.shape(), like.shape())) {
      throw new IllegalArgumentException(
          Text.format(
              "An array has the shape %s where the images have %s; both must be the same.",
              Arrays.toString(array.shape()), Arrays.toString(like.shape())));
    }
    // Closed at once: the garbage collector, which sees only small Java objects, may wait for long.
    try (INDArray copy = array.dup('c')) {
      return copy.data().asDouble();
    }
  }
}
