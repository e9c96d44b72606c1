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
   * Whether a convolution of kernel 3 keeps the size.
   *
   * @return true for stride 1 and padding 1
   */
  public boolean keepsSizeOfKernel3() {
    return stride == 1 && padding == 1 && endPadding == 1;
  }
}
