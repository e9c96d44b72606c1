package org.ddpm4j.kernels.ops;

/**
 * How a convolution steps over its input, along both axes alike.
 *
 * @param stride at least 1
 * @param padding zeros above and on the left
 * @param endPadding zeros below and on the right
 */
record ConvolutionGeometry(int stride, int padding, int endPadding) {

  static ConvolutionGeometry symmetric(int stride, int padding) {
    return new ConvolutionGeometry(stride, padding, padding);
  }

  long outputSize(long size, long kernel) {
    return (size + padding + endPadding - kernel) / stride + 1;
  }

  /** Whether a convolution of kernel 3 keeps the size. */
  boolean keepsSizeOfKernel3() {
    return stride == 1 && padding == 1 && endPadding == 1;
  }
}
