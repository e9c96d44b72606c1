package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.ScaleShiftPerChannel;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link ScaleShiftPerChannel} on a CPU. */
final class ScaleShiftPerChannelKernel {

  private ScaleShiftPerChannelKernel() {}

  static Kernel kernel(
      ScaleShiftPerChannel op,
      CpuContext context,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    int channels = x.size(3);
    ChannelTiles tiles = new ChannelTiles(x.size(1) * x.size(2), channels);
    float[] values = tiles.array();
    float[] factors = tiles.array();
    float[] summands = tiles.array();
    float[] perChannel = new float[channels];
    return () -> {
      for (int n = 0; n < x.size(0); n++) {
        int start = n * tiles.total();
        inputs.get(1).buffer().get(2 * n * channels, perChannel);
        for (int c = 0; c < channels; c++) {
          perChannel[c] += 1;
        }
        tiles.repeat(perChannel, factors);
        inputs.get(1).buffer().get((2 * n + 1) * channels, perChannel);
        tiles.repeat(perChannel, summands);
        tiles.forEach(
            (offset, length) -> {
              x.buffer().get(start + offset, values, 0, length);
              Loops.multiplyAdd(values, factors, summands, length);
              outputs.get(0).buffer().put(start + offset, values, 0, length);
            });
      }
    };
  }
}
