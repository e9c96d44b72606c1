package org.ddpm4j.kernels.cpu;

import java.util.Arrays;
import java.util.List;
import org.ddpm4j.kernels.ops.SumPerChannel;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link SumPerChannel} on a CPU. */
final class SumPerChannelKernel {

  private SumPerChannelKernel() {}

  static Kernel kernel(
      SumPerChannel op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    int channels = x.size(3);
    ChannelTiles tiles = new ChannelTiles(x.size(1) * x.size(2), channels);
    float[] values = tiles.array();
    float[] sums = tiles.array();
    double[] perChannel = new double[channels];
    return () -> {
      for (int n = 0; n < x.size(0); n++) {
        int start = n * tiles.total();
        Arrays.fill(sums, 0);
        tiles.forEach(
            (offset, length) -> {
              x.buffer().get(start + offset, values, 0, length);
              Loops.add(sums, values, length);
            });
        tiles.sum(sums, perChannel);
        for (int c = 0; c < channels; c++) {
          outputs.get(0).buffer().put(n * channels + c, (float) perChannel[c]);
        }
      }
    };
  }
}
