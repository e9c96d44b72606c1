package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.AddPerChannel;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link AddPerChannel} on a CPU. */
final class AddPerChannelKernel {

  private AddPerChannelKernel() {}

  static Kernel kernel(
      AddPerChannel op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    CpuTensor v = inputs.get(1);
    CpuTensor y = outputs.get(0);
    int channels = x.size(3);
    ChannelTiles tiles = new ChannelTiles(x.size(1) * x.size(2), channels);
    float[] values = tiles.array();
    float[] summands = tiles.array();
    float[] perChannel = new float[channels];
    return () -> {
      for (int n = 0; n < x.size(0); n++) {
        int start = n * tiles.total();
        v.buffer().get(n * channels, perChannel);
        tiles.repeat(perChannel, summands);
        tiles.forEach(
            (offset, length) -> {
              x.buffer().get(start + offset, values, 0, length);
              Loops.add(values, summands, length);
              y.buffer().put(start + offset, values, 0, length);
            });
      }
    };
  }
}
