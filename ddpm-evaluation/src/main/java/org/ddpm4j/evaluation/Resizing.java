package org.ddpm4j.evaluation;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Images of one size, grey or in colour, of any images: luma, ITU-R BT.601's, where colours become
 * grey, and a triangular filter that is as wide as a pixel of the smaller image, as Pillow's
 * bilinear resizing.
 */
final class Resizing {

  private static final double[] LUMA = {0.299, 0.587, 0.114};

  private Resizing() {}

  /** Weights of the input pixels from {@code first} on. */
  private record Window(int first, double[] weights) {}

  /**
   * Images of a size.
   *
   * @param pixels {@code [N,C,H,W]}, C of 1 or 3
   * @param wanted channels of the result, 1 or 3; grey images become three equal channels
   * @param height of the result
   * @param width of the result
   * @return {@code [N,wanted,height,width]}; the given array itself if it is so already
   */
  static INDArray to(INDArray pixels, int wanted, int height, int width) {
    int channels = (int) pixels.size(1);
    if (channels != 1 && channels != LUMA.length) {
      throw new IllegalArgumentException(
          "Images of " + channels + " channels are neither grey nor coloured; 1 and 3 are.");
    }
    int oldHeight = (int) pixels.size(2);
    int oldWidth = (int) pixels.size(3);
    if (channels == wanted && oldHeight == height && oldWidth == width) {
      return pixels;
    }
    int images = (int) pixels.size(0);
    int plane = oldHeight * oldWidth;
    float[] given = pixels.dup('c').data().asFloat();
    Window[] rows = windows(oldHeight, height);
    Window[] columns = windows(oldWidth, width);
    float[] result = new float[images * wanted * height * width];
    double[] one = new double[plane];
    for (int n = 0; n < images; n++) {
      for (int c = 0; c < wanted; c++) {
        int image = n * channels * plane;
        for (int i = 0; i < plane; i++) {
          one[i] =
              wanted == 1
                  ? luma(given, image + i, plane, channels)
                  : given[image + c % channels * plane + i];
        }
        resize(one, oldWidth, rows, columns, result, (n * wanted + c) * height * width);
      }
    }
    return Nd4j.create(result, new long[] {images, wanted, height, width}, 'c');
  }

  private static double luma(float[] given, int at, int plane, int channels) {
    if (channels == 1) {
      return given[at];
    }
    double sum = 0;
    for (int c = 0; c < channels; c++) {
      sum += LUMA[c] * given[at + c * plane];
    }
    return sum;
  }

  private static void resize(
      double[] plane, int oldWidth, Window[] rows, Window[] columns, float[] result, int offset) {
    int at = offset;
    for (Window row : rows) {
      double[] line = new double[oldWidth];
      for (int y = 0; y < row.weights.length; y++) {
        for (int x = 0; x < oldWidth; x++) {
          line[x] += row.weights[y] * plane[(row.first + y) * oldWidth + x];
        }
      }
      for (Window column : columns) {
        double sum = 0;
        for (int x = 0; x < column.weights.length; x++) {
          sum += column.weights[x] * line[column.first + x];
        }
        result[at++] = (float) sum;
      }
    }
  }

  private static Window[] windows(int oldSize, int size) {
    double scale = (double) oldSize / size;
    double reach = Math.max(1, scale);
    Window[] windows = new Window[size];
    for (int i = 0; i < size; i++) {
      double centre = (i + 0.5) * scale;
      int first = (int) Math.max(0, Math.floor(centre - reach + 0.5));
      int end = (int) Math.min(oldSize, Math.floor(centre + reach + 0.5));
      double[] weights = new double[end - first];
      double sum = 0;
      for (int j = 0; j < weights.length; j++) {
        weights[j] = Math.max(0, 1 - Math.abs((first + j + 0.5 - centre) / reach));
        sum += weights[j];
      }
      for (int j = 0; j < weights.length; j++) {
        weights[j] /= sum;
      }
      windows[i] = new Window(first, weights);
    }
    return windows;
  }
}
