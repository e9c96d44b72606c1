package org.ddpm4j.kernels.cpu;

import java.util.Arrays;
import java.util.List;
import org.ddpm4j.kernels.ops.LayerNorm;
import org.ddpm4j.kernels.ops.LayerNormGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link LayerNorm} and {@link LayerNormGradient} on a CPU. */
final class LayerNormKernel {

  /** Sums that do not wait for each other. */
  private static final int LANES = 8;

  private LayerNormKernel() {}

  static Kernel kernel(
      LayerNorm op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    int channels = x.size(3);
    float[] row = new float[channels];
    float[] lanes = new float[LANES];
    return () -> {
      for (int start = 0; start < x.length(); start += channels) {
        x.buffer().get(start, row);
        normalise(row, op.epsilon(), lanes);
        outputs.get(0).buffer().put(start, row);
      }
    };
  }

  static Kernel gradient(
      LayerNormGradient op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    CpuTensor dy = inputs.get(1);
    int channels = x.size(3);
    float[] row = new float[channels];
    float[] slopes = new float[channels];
    float[] lanes = new float[LANES];
    return () -> {
      for (int start = 0; start < x.length(); start += channels) {
        x.buffer().get(start, row);
        dy.buffer().get(start, slopes);
        float inverse = normalise(row, op.epsilon(), lanes);
        float mean = sum(slopes, lanes) / channels;
        float along = sumOfProducts(slopes, row, lanes) / channels;
        for (int c = 0; c < channels; c++) {
          slopes[c] = (slopes[c] - mean - row[c] * along) * inverse;
        }
        outputs.get(0).buffer().put(start, slopes);
      }
    };
  }

  /** Gives 1 over the deviation. */
  private static float normalise(float[] row, double epsilon, float[] lanes) {
    float mean = sum(row, lanes) / row.length;
    for (int c = 0; c < row.length; c++) {
      row[c] -= mean;
    }
    float inverse = (float) (1 / Math.sqrt(sumOfProducts(row, row, lanes) / row.length + epsilon));
    for (int c = 0; c < row.length; c++) {
      row[c] *= inverse;
    }
    return inverse;
  }

  private static float sum(float[] row, float[] lanes) {
    Arrays.fill(lanes, 0);
    int whole = row.length / LANES * LANES;
    for (int c = 0; c < whole; c += LANES) {
      for (int k = 0; k < LANES; k++) {
        lanes[k] += row[c + k];
      }
    }
    double total = 0;
    for (int c = whole; c < row.length; c++) {
      total += row[c];
    }
    for (float lane : lanes) {
      total += lane;
    }
    return (float) total;
  }

  private static float sumOfProducts(float[] a, float[] b, float[] lanes) {
    Arrays.fill(lanes, 0);
    int whole = a.length / LANES * LANES;
    for (int c = 0; c < whole; c += LANES) {
      for (int k = 0; k < LANES; k++) {
        lanes[k] += a[c + k] * b[c + k];
      }
    }
    double total = 0;
    for (int c = whole; c < a.length; c++) {
      total += (double) a[c] * b[c];
    }
    for (float lane : lanes) {
      total += lane;
    }
    return (float) total;
  }
}
