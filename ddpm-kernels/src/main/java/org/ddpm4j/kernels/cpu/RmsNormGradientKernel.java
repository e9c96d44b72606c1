package org.ddpm4j.kernels.cpu;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import org.ddpm4j.kernels.ops.RmsNorm;
import org.ddpm4j.kernels.ops.RmsNormGradient;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * {@link RmsNormGradient} on a CPU. With the length r of a row and its scale s = √C/r, the gradient
 * of x is {@code s·(γ·dy - x·Σγ·dy·x/r²)}, and that of the gain {@code Σ s·x·dy}.
 */
final class RmsNormGradientKernel implements Kernel {

  private final FloatBuffer features;
  private final FloatBuffer slopes;
  private final FloatBuffer gain;
  private final FloatBuffer featureSlopes;
  private final CpuTensor gainSlopes;
  private final int rows;
  private final int channels;
  private final float[] x;
  private final float[] dy;
  private final float[] gains;
  private final float[] sums;
  private final double[] totals;

  /** Rows whose terms are added in single precision before they are in double. */
  private static final int ROWS_OF_A_SUM = 64;

  private RmsNormGradientKernel(List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor map = inputs.get(0);
    features = map.buffer();
    gain = inputs.get(1).buffer();
    slopes = inputs.get(2).buffer();
    featureSlopes = outputs.get(0) == null ? null : outputs.get(0).buffer();
    gainSlopes = outputs.get(1);
    channels = map.size(3);
    rows = map.length() / channels;
    x = new float[channels];
    dy = new float[channels];
    gains = new float[channels];
    sums = new float[channels];
    totals = new double[channels];
  }

  static Kernel kernel(
      RmsNormGradient op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    return new RmsNormGradientKernel(inputs, outputs);
  }

  @Override
  public void run() {
    gain.get(0, gains);
    Arrays.fill(sums, 0);
    Arrays.fill(totals, 0);
    for (int row = 0; row < rows; row++) {
      features.get(row * channels, x);
      slopes.get(row * channels, dy);
      double length = Math.sqrt(product(x, x));
      boolean isShort = length < RmsNorm.LEAST_NORM;
      float scale = (float) (Math.sqrt(channels) / (isShort ? RmsNorm.LEAST_NORM : length));
      if (gainSlopes != null) {
        addProducts(sums, x, dy, scale);
        if (row % ROWS_OF_A_SUM == ROWS_OF_A_SUM - 1 || row == rows - 1) {
          addSums();
        }
      }
      if (featureSlopes != null) {
        Loops.multiply(dy, gains, channels);
        float ofX = isShort ? 0 : (float) (-scale * product(x, dy) / (length * length));
        combine(dy, scale, x, ofX);
        featureSlopes.put(row * channels, dy);
      }
    }
    if (gainSlopes != null) {
      ParameterGradients.add(gainSlopes, totals);
    }
  }

  private void addSums() {
    for (int c = 0; c < channels; c++) {
      totals[c] += sums[c];
    }
    Arrays.fill(sums, 0);
  }

  /** In four sums, which the processor adds to at once. */
  private static double product(float[] a, float[] b) {
    float first = 0;
    float second = 0;
    float third = 0;
    float fourth = 0;
    int i = 0;
    for (; i + 3 < a.length; i += 4) {
      first += a[i] * b[i];
      second += a[i + 1] * b[i + 1];
      third += a[i + 2] * b[i + 2];
      fourth += a[i + 3] * b[i + 3];
    }
    for (; i < a.length; i++) {
      first += a[i] * b[i];
    }
    return (double) first + second + third + fourth;
  }

  private static void addProducts(float[] sum, float[] a, float[] b, float factor) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += a[i] * b[i] * factor;
    }
  }

  private static void combine(float[] y, float ofY, float[] x, float ofX) {
    for (int i = 0; i < y.length; i++) {
      y[i] = y[i] * ofY + x[i] * ofX;
    }
  }
}
