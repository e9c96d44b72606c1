package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.kernels.ops.ConvolutionGeometry;

/**
 * Rows of a convolution's outputs, all of all images or some of one, and the rows of the input that
 * these need.
 *
 * @param x rows of the input
 * @param y rows of the output
 * @param residual the same rows of what is added to it, or null
 * @param above rows of zeros above those of the input
 * @param below rows of zeros below them
 */
record ConvolutionRows(CpuTensor x, CpuTensor y, CpuTensor residual, int above, int below) {

  /** oneDNN's sums come out differently for one position and for several. */
  private static final int LEAST_POSITIONS = 2;

  /** All rows of all images. */
  static ConvolutionRows all(
      CpuTensor x, CpuTensor y, CpuTensor residual, ConvolutionGeometry geometry) {
    return new ConvolutionRows(x, y, residual, geometry.padding(), geometry.endPadding());
  }

  /**
   * These, cut into parts of nearly one size.
   *
   * @param geometry of the convolution
   * @param w its weights, {@code [kH,kW,…]}
   * @param unit every part but the last of an image has a multiple of so many rows
   * @param count how many parts there should be; there are a few more if the images ask for it, and
   *     fewer if there are not so many rows
   * @return the parts, each of rows of one image
   */
  List<ConvolutionRows> cut(ConvolutionGeometry geometry, CpuTensor w, int unit, int count) {
    if (y.size(1) == 1 && isPointwise(geometry, w)) {
      return upright().cut(geometry, w, unit, count).stream().map(ConvolutionRows::lying).toList();
    }
    int images = y.size(0);
    int units = (y.size(1) + unit - 1) / unit;
    int most = y.size(2) == 1 ? Math.max(1, units / LEAST_POSITIONS) : units;
    int perImage = Math.min(most, (count + images - 1) / images);
    List<ConvolutionRows> parts = new ArrayList<>();
    for (int n = 0; n < images; n++) {
      for (int i = 0; i < perImage; i++) {
        int begin = units * i / perImage * unit;
        int end = Math.min(units * (i + 1) / perImage * unit, y.size(1));
        parts.add(part(geometry, w.size(0), n, begin, end));
      }
    }
    return parts;
  }

  private ConvolutionRows part(
      ConvolutionGeometry geometry, int kernel, int image, int begin, int end) {
    int firstInput = begin * geometry.stride() - above;
    int endOfInputs = (end - 1) * geometry.stride() - above + kernel;
    int zerosAbove = Math.max(0, -firstInput);
    int zerosBelow = Math.max(0, endOfInputs - x.size(1));
    return new ConvolutionRows(
        rows(x, image, firstInput + zerosAbove, endOfInputs - zerosBelow),
        rows(y, image, begin, end),
        residual == null ? null : rows(residual, image, begin, end),
        zerosAbove,
        zerosBelow);
  }

  /** Whether each output is of the input in its own place. */
  private static boolean isPointwise(ConvolutionGeometry geometry, CpuTensor w) {
    return w.size(0) == 1 && w.size(1) == 1 && geometry.keepsSize(1);
  }

  /** Maps of one row as those of one column, which are the same for a kernel of 1x1. */
  private ConvolutionRows upright() {
    return turned(x.size(2), 1);
  }

  private ConvolutionRows lying() {
    return turned(1, x.size(1));
  }

  private ConvolutionRows turned(int height, int width) {
    CpuTensor residuals = residual == null ? null : turned(residual, height, width);
    return new ConvolutionRows(
        turned(x, height, width), turned(y, height, width), residuals, above, below);
  }

  private static CpuTensor turned(CpuTensor maps, int height, int width) {
    return maps.part(0, maps.size(0), height, width, maps.size(3));
  }

  private static CpuTensor rows(CpuTensor of, int image, int begin, int end) {
    long rowLength = (long) of.size(2) * of.size(3);
    long start = (image * (long) of.size(1) + begin) * rowLength;
    return of.part(start, 1, end - begin, of.size(2), of.size(3));
  }
}
