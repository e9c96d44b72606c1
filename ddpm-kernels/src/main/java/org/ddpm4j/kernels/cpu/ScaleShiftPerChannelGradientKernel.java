package org.ddpm4j.kernels.cpu;

import java.util.Arrays;
import java.util.List;
import org.ddpm4j.kernels.ops.ScaleShiftPerChannelGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link ScaleShiftPerChannelGradient} on a CPU. */
final class ScaleShiftPerChannelGradientKernel {

  private ScaleShiftPerChannelGradientKernel() {}

  static Kernel kernel(
      ScaleShiftPerChannelGradient op,
      CpuContext context,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    int channels = x.size(3);
    ChannelTiles tiles = new ChannelTiles(x.size(1) * x.size(2), channels);
    float[] values = tiles.array();
    float[] gradient = tiles.array();
    float[] factors = tiles.array();
    float[] sums = tiles.array();
    float[] products = tiles.array();
    float[] perChannel = new float[channels];
    double[] totals = new double[channels];
    return () -> {
      for (int n = 0; n < x.size(0); n++) {
        int start = n * tiles.total();
        int scales = 2 * n * channels;
        inputs.get(1).buffer().get(scales, perChannel);
        for (int c = 0; c < channels; c++) {
          perChannel[c] += 1;
        }
        tiles.repeat(perChannel, factors);
        Arrays.fill(sums, 0);
        Arrays.fill(products, 0);
        tiles.forEach(
            (offset, length) -> {
              x.buffer().get(start + offset, values, 0, length);
              inputs.get(2).buffer().get(start + offset, gradient, 0, length);
              Loops.add(sums, gradient, length);
              Loops.addProducts(products, gradient, values, length);
              if (outputs.get(0) != null) {
                Loops.multiply(gradient, factors, length);
                outputs.get(0).buffer().put(start + offset, gradient, 0, length);
              }
            });
        tiles.sum(products, totals);
        put(outputs.get(1), scales, totals);
        tiles.sum(sums, totals);
        put(outputs.get(1), scales + channels, totals);
      }
    };
  }

  private static void put(CpuTensor target, int start, double[] values) {
    if (target != null) {
      for (int c = 0; c < values.length; c++) {
        target.buffer().put(start + c, (float) values[c]);
      }
    }
  }
}
