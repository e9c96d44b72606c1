package org.ddpm4j.cuda;

import java.util.Locale;
import org.ddpm4j.kernels.plan.Tensor;

/**
 * Which input pixels an output pixel gathers: {@code output·stride - padding + tap}, or {@code
 * (output + padding - tap) / stride} where that divides if it is transposed.
 *
 * @param images of the batch
 * @param inHeight of the map that is gathered
 * @param inWidth of the map that is gathered
 * @param outHeight of the map that gathers
 * @param outWidth of the map that gathers
 * @param kernelHeight taps along the height
 * @param kernelWidth taps along the width
 * @param stride along both axes
 * @param padding above and on the left
 * @param transposed whether a step of the input is a stride of the output
 */
record ConvolutionLookup(
    int images,
    int inHeight,
    int inWidth,
    int outHeight,
    int outWidth,
    int kernelHeight,
    int kernelWidth,
    int stride,
    int padding,
    boolean transposed) {

  /** A word of the kernels has a bit for each row and column, and one that no tap has. */
  private static final int LARGEST_KERNEL = 15;

  ConvolutionLookup {
    if (kernelHeight > LARGEST_KERNEL || kernelWidth > LARGEST_KERNEL) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "A convolution on a GPU has a kernel of at most %d, but this one is %dx%d.",
              LARGEST_KERNEL,
              kernelHeight,
              kernelWidth));
    }
  }

  /** The taps of one axis that the output pixels of one phase (remainder by the stride) use. */
  private record Axis(int taps, int offset) {

    static Axis of(int phase, int kernel, int stride, int padding) {
      int remainder = (phase + padding) % stride;
      int taps = remainder < kernel ? ceil(kernel - remainder, stride) : 0;
      return new Axis(taps, (phase + padding - remainder) / stride - (taps - 1));
    }
  }

  static ConvolutionLookup plain(Tensor in, Tensor out, Tensor weights, int stride, int padding) {
    return of(in, out, weights, stride, padding, false);
  }

  static ConvolutionLookup transposed(
      Tensor in, Tensor out, Tensor weights, int stride, int padding) {
    return of(in, out, weights, stride, padding, true);
  }

  private static ConvolutionLookup of(
      Tensor in, Tensor out, Tensor weights, int stride, int padding, boolean transposed) {
    return new ConvolutionLookup(
        in.size(0),
        in.size(1),
        in.size(2),
        out.size(1),
        out.size(2),
        weights.size(0),
        weights.size(1),
        stride,
        padding,
        transposed);
  }

  /** Output pixels that differ in which taps they use; each phase is a plain lookup of stride 1. */
  int phases() {
    return transposed ? stride * stride : 1;
  }

  private int spread() {
    return transposed ? stride : 1;
  }

  /** The taps of the fullest phase. */
  int taps() {
    return ceil(kernelHeight, spread()) * ceil(kernelWidth, spread());
  }

  /** The taps of the emptiest phase that has any. */
  int fewestTaps() {
    return Math.max(1, kernelHeight / spread()) * Math.max(1, kernelWidth / spread());
  }

  /** The output pixels of the largest phase. */
  int pixels() {
    return images * ceil(outHeight, spread()) * ceil(outWidth, spread());
  }

  /** The most consecutive input pixels that so many consecutive output pixels of a phase need. */
  int slabRows(int tile) {
    int most = 1;
    for (int phase = 0; phase < phases(); phase++) {
      most = Math.max(most, slabRows(tile, phase / spread(), phase % spread()));
    }
    return most;
  }

  private int slabRows(int tile, int phaseY, int phaseX) {
    Axis y = axis(phaseY, kernelHeight);
    Axis x = axis(phaseX, kernelWidth);
    int height = ceil(outHeight - phaseY, spread());
    int width = ceil(outWidth - phaseX, spread());
    int pixels = images * height * width;
    int most = 1;
    for (int first = 0; first < pixels; first += tile) {
      int last = Math.min(first + tile, pixels) - 1;
      int begin = edge(first, height, width, y.offset(), x.offset());
      int end = edge(last, height, width, y.offset() + y.taps() - 1, x.offset() + x.taps());
      most = Math.max(most, end - begin);
    }
    return most;
  }

  private Axis axis(int phase, int kernel) {
    return transposed ? Axis.of(phase, kernel, stride, padding) : new Axis(kernel, -padding);
  }

  /** The input pixel of an output pixel and an offset; a row's beginning if it lies outside. */
  private int edge(int pixel, int height, int width, int offsetY, int offsetX) {
    int step = transposed ? 1 : stride;
    int image = pixel / width / height;
    int y = pixel / width % height * step + offsetY;
    int x = y < 0 || y >= inHeight ? 0 : clamp(pixel % width * step + offsetX, inWidth);
    return (image * inHeight + clamp(y, inHeight)) * inWidth + x;
  }

  private static int clamp(int x, int high) {
    return Math.min(Math.max(x, 0), high);
  }

  static int ceil(int a, int b) {
    return (a + b - 1) / b;
  }
}
