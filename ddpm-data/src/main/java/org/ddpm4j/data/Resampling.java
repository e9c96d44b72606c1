package org.ddpm4j.data;

/**
 * Brings images to a size: scales until the image just covers the new size, and cuts out the
 * middle.
 *
 * <p>The filter is a triangle as wide as two pixels of the larger of the two grids, separately
 * across and down: bilinear interpolation when an image grows, and a weighted mean of all pixels
 * that a new one covers when it shrinks, so that nothing aliases. An image of the right size stays
 * as it is to the last bit.
 */
final class Resampling {

  private Resampling() {}

  /** An image, row by row. */
  @FunctionalInterface
  interface Rows {
    /**
     * Gives a row.
     *
     * @param y 0..H-1, asked for in rising order, perhaps not all
     * @param channels where the row goes, {@code [C][W]}, 0..255
     */
    void read(int y, float[][] channels);
  }

  /** The source pixels of one new pixel: those from first on, with their shares of the sum 1. */
  private record Window(int first, float[] weights) {}

  /**
   * An image in another size.
   *
   * @param rows the image {@code [C,H,W]}
   * @return {@code [C,newHeight,newWidth]}, rounded
   */
  static byte[] cover(Rows rows, int channels, int height, int width, int newHeight, int newWidth) {
    double scale = Math.min((double) height / newHeight, (double) width / newWidth);
    Window[] down = windows(height, scale, newHeight);
    Window[] across = windows(width, scale, newWidth);
    float[][] row = new float[channels][width];
    float[] narrow = new float[newWidth];
    byte[] pixels = new byte[channels * newHeight * newWidth];
    // Only of new rows that are not yet complete: where an image grows, sums of all would be many.
    float[][] sums = new float[newHeight][];
    int begin = down[0].first();
    Window last = down[newHeight - 1];
    int firstOpen = 0;
    for (int y = begin; y < last.first() + last.weights().length; y++) {
      rows.read(y, row);
      for (int c = 0; c < channels; c++) {
        filter(row[c], across, narrow);
        for (int i = firstOpen; i < newHeight && down[i].first() <= y; i++) {
          if (sums[i] == null) {
            sums[i] = new float[channels * newWidth];
          }
          float weight = weight(down[i], y);
          for (int x = 0; x < newWidth; x++) {
            sums[i][c * newWidth + x] += weight * narrow[x];
          }
        }
      }
      while (firstOpen < newHeight
          && y >= down[firstOpen].first() + down[firstOpen].weights().length - 1) {
        round(sums[firstOpen], pixels, firstOpen, channels, newHeight, newWidth);
        sums[firstOpen] = null;
        firstOpen++;
      }
    }
    return pixels;
  }

  /** Puts a row that is complete into its place. */
  private static void round(
      float[] sums, byte[] pixels, int row, int channels, int height, int width) {
    for (int c = 0; c < channels; c++) {
      int target = (c * height + row) * width;
      for (int x = 0; x < width; x++) {
        int level = Math.round(sums[c * width + x]);
        pixels[target + x] = (byte) Math.max(0, Math.min(255, level));
      }
    }
  }

  private static float weight(Window window, int y) {
    int index = y - window.first();
    return index < window.weights().length ? window.weights()[index] : 0;
  }

  private static void filter(float[] row, Window[] windows, float[] target) {
    for (int i = 0; i < windows.length; i++) {
      Window window = windows[i];
      float sum = 0;
      for (int j = 0; j < window.weights().length; j++) {
        sum += window.weights()[j] * row[window.first() + j];
      }
      target[i] = sum;
    }
  }

  /** The windows of the middle of an axis, at so many old pixels for a new one. */
  private static Window[] windows(int size, double scale, int newSize) {
    double start = (size - scale * newSize) / 2;
    double reach = Math.max(1, scale);
    Window[] windows = new Window[newSize];
    for (int i = 0; i < newSize; i++) {
      double centre = start + (i + 0.5) * scale;
      int first = Math.max(0, (int) Math.floor(centre - reach));
      int end = Math.min(size, (int) Math.ceil(centre + reach));
      double[] shares = new double[end - first];
      double total = 0;
      for (int j = 0; j < shares.length; j++) {
        shares[j] = Math.max(0, 1 - Math.abs(first + j + 0.5 - centre) / reach);
        total += shares[j];
      }
      float[] weights = new float[shares.length];
      for (int j = 0; j < shares.length; j++) {
        weights[j] = (float) (shares[j] / total);
      }
      windows[i] = new Window(first, weights);
    }
    return windows;
  }
}
