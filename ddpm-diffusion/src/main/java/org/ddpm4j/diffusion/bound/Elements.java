package org.ddpm4j.diffusion.bound;

import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The elements of arrays, for loops in double precision. */
final class Elements {

  private Elements() {}

  /**
   * Refuses what is no batch of images.
   *
   * @param images that others are compared with
   * @param name of the argument
   * @throws IllegalArgumentException if the shape is not {@code [N,C,H,W]}, N at least 1
   */
  static void requireImages(INDArray images, String name) {
    Objects.requireNonNull(images, name);
    if (images.rank() != 4 || images.length() == 0) {
      throw new IllegalArgumentException(
          Text.format(
              "The bound is of at least one image, [N,C,H,W], but %s has the shape %s.",
              name, Arrays.toString(images.shape())));
    }
  }

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
