package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.MaxPool;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link MaxPool} on a CPU. */
final class MaxPoolKernel {

  private MaxPoolKernel() {}

  static Kernel kernel(
      MaxPool op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    CpuTensor y = outputs.get(0);
    int channels = y.size(3);
    int width = y.size(2);
    int rows = y.size(0) * y.size(1);
    float[] upper = new float[2 * width * channels];
    float[] lower = new float[2 * width * channels];
    float[] largest = new float[width * channels];
    return () -> {
      for (int r = 0; r < rows; r++) {
        x.buffer().get(2 * r * upper.length, upper);
        x.buffer().get((2 * r + 1) * lower.length, lower);
        for (int i = 0; i < upper.length; i++) {
          upper[i] = Math.max(upper[i], lower[i]);
        }
        for (int i = 0; i < width; i++) {
          for (int c = 0; c < channels; c++) {
            int from = 2 * i * channels + c;
            largest[i * channels + c] = Math.max(upper[from], upper[from + channels]);
          }
        }
        y.buffer().put(r * largest.length, largest);
      }
    };
  }
}
