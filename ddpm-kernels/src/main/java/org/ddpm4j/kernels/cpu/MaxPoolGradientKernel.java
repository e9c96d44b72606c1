package org.ddpm4j.kernels.cpu;

import java.util.Arrays;
import java.util.List;
import org.ddpm4j.kernels.ops.MaxPoolGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link MaxPoolGradient} on a CPU. */
final class MaxPoolGradientKernel {

  private MaxPoolGradientKernel() {}

  static Kernel kernel(
      MaxPoolGradient op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    CpuTensor dy = inputs.get(1);
    CpuTensor dx = outputs.get(0);
    int channels = dy.size(3);
    int width = dy.size(2);
    int rows = dy.size(0) * dy.size(1);
    int row = 2 * width * channels;
    float[] twoRows = new float[2 * row];
    float[] gradients = new float[width * channels];
    float[] result = new float[2 * row];
    return () -> {
      for (int r = 0; r < rows; r++) {
        x.buffer().get(r * twoRows.length, twoRows);
        dy.buffer().get(r * gradients.length, gradients);
        Arrays.fill(result, 0);
        for (int i = 0; i < width; i++) {
          for (int c = 0; c < channels; c++) {
            int first = 2 * i * channels + c;
            int largest = first;
            largest = larger(twoRows, largest, first + channels);
            largest = larger(twoRows, largest, first + row);
            largest = larger(twoRows, largest, first + row + channels);
            result[largest] = gradients[i * channels + c];
          }
        }
        dx.buffer().put(r * result.length, result);
      }
    };
  }

  private static int larger(float[] values, int first, int second) {
    return values[second] > values[first] ? second : first;
  }
}
