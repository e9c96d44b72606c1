package org.ddpm4j.unet.layers;

import org.ddpm4j.io.Text;

/**
 * The geometry of a square convolution.
 *
 * @param kernel kernel height and width, at least 1
 * @param stride at least 1
 * @param padding rows of zeros above and columns of zeros on the left, at least 0
 * @param endPadding rows of zeros below and columns of zeros on the right, at least 0
 */
public record Convolution(int kernel, int stride, int padding, int endPadding) {

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a value is outside its range
   */
  public Convolution {
    if (kernel < 1 || stride < 1 || padding < 0 || endPadding < 0) {
      throw new IllegalArgumentException(
          Text.format(
              "A convolution of kernel %d, stride %d and padding %s does not exist; kernel and stride must be at least 1, padding at least 0.",
              kernel,
              stride,
              padding == endPadding ? padding : Text.format("%d and %d", padding, endPadding)));
    }
  }

  /**
   * With the same padding on every side.
   *
   * @param kernel kernel height and width
   * @param stride the step
   * @param padding rows and columns of zeros on every side
   * @throws IllegalArgumentException if a value is outside its range
   */
  public Convolution(int kernel, int stride, int padding) {
    this(kernel, stride, padding, padding);
  }

  /**
   * A convolution of stride 1 whose output is as large as its input.
   *
   * @param kernel odd kernel size
   * @return the geometry
   */
  public static Convolution same(int kernel) {
    if (kernel % 2 == 0) {
      throw new IllegalArgumentException(
          Text.format("A kernel of %d cannot be centred; take an odd size.", kernel));
    }
    return new Convolution(kernel, 1, kernel / 2);
  }

  /** {@return whether all sides are padded alike} */
  public boolean isSymmetric() {
    return padding == endPadding;
  }

  /**
   * The size of the output along one axis.
   *
   * @param size of the input
   * @return {@code (size + padding + endPadding - kernel)/stride + 1}
   */
  public int outputSize(int size) {
    return (size + padding + endPadding - kernel) / stride + 1;
  }

  /**
   * The size of the output of the transposed convolution along one axis.
   *
   * @param size of the input
   * @return {@code (size - 1)·stride - padding - endPadding + kernel}
   */
  public int transposedOutputSize(int size) {
    return (size - 1) * stride - padding - endPadding + kernel;
  }
}
