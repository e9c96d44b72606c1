package org.ddpm4j.kernels.ops;

/**
 * How a convolution steps over its input, along both axes alike.
 *
 * @param stride at least 1
 * @param padding zeros above and on the left
 * @param endPadding zeros below and on the right
 */
public record ConvolutionGeometry(int stride, int padding, int endPadding) {

  /**
   * The same padding on all sides.
   *
   * @param stride at least 1
   * @param padding zeros on each side
   * @return the geometry
   */
  public static ConvolutionGeometry symmetric(int stride, int padding) {
    return new ConvolutionGeometry(stride, padding, padding);
  }

  /**
   * The size of what a convolution makes.
   *
   * @param size of its input along an axis
   * @param kernel its size along that axis
   * @return of its output
   */
  public long outputSize(long size, long kernel) {
    return (size + padding + endPadding - kernel) / stride + 1;
  }

  /**
   * Whether outputs lie where the middle of an odd kernel is: at every position of the input.
   *
   * @param kernel its size along both axes
   * @return true for stride 1 and zeros around that are half of the kernel
   */
  public boolean keepsSize(int kernel) {
    return stride == 1 && 2 * padding == kernel - 1 && endPadding == padding;
  }
}
