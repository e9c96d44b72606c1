package org.ddpm4j.kernels.cpu;

import org.ddpm4j.kernels.plan.Kernel;

/** Windows of two by two positions, side by side in channels-last data {@code [N,2H,2W,C]}. */
final class Windows2x2 {

  private Windows2x2() {}

  /** {@code y = factor · sum over each square of x}, {@code [N,H,W,C]}. */
  static Kernel sums(CpuTensor x, CpuTensor y, float factor) {
    int channels = y.size(3);
    int width = y.size(2);
    int rows = y.size(0) * y.size(1);
    float[] upper = new float[2 * width * channels];
    float[] lower = new float[2 * width * channels];
    float[] sums = new float[width * channels];
    return () -> {
      for (int r = 0; r < rows; r++) {
        x.buffer().get(2 * r * upper.length, upper);
        x.buffer().get((2 * r + 1) * lower.length, lower);
        Loops.add(upper, lower, upper.length);
        for (int i = 0; i < width; i++) {
          for (int c = 0; c < channels; c++) {
            int from = 2 * i * channels + c;
            sums[i * channels + c] = factor * (upper[from] + upper[from + channels]);
          }
        }
        y.buffer().put(r * sums.length, sums);
      }
    };
  }

  /** Every position of each square of {@code y} is {@code factor · x}, {@code [N,H,W,C]}. */
  static Kernel repetitions(CpuTensor x, CpuTensor y, float factor) {
    int channels = x.size(3);
    int width = x.size(2);
    int rows = x.size(0) * x.size(1);
    float[] values = new float[width * channels];
    float[] repeated = new float[2 * width * channels];
    return () -> {
      for (int r = 0; r < rows; r++) {
        x.buffer().get(r * values.length, values);
        for (int i = 0; i < values.length; i++) {
          values[i] *= factor;
        }
        for (int i = 0; i < width; i++) {
          System.arraycopy(values, i * channels, repeated, 2 * i * channels, channels);
          System.arraycopy(values, i * channels, repeated, (2 * i + 1) * channels, channels);
        }
        y.buffer().put(2 * r * repeated.length, repeated);
        y.buffer().put((2 * r + 1) * repeated.length, repeated);
      }
    };
  }
}
