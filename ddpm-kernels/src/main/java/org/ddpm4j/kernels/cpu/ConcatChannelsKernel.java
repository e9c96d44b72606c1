package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.ConcatChannels;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link ConcatChannels} on a CPU. */
final class ConcatChannelsKernel {

  private ConcatChannelsKernel() {}

  static Kernel kernel(
      ConcatChannels op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor a = inputs.get(0);
    CpuTensor b = inputs.get(1);
    CpuTensor y = outputs.get(0);
    int channelsOfA = a.size(3);
    int channelsOfB = b.size(3);
    int rows = a.length() / channelsOfA;
    return () -> {
      for (int row = 0; row < rows; row++) {
        int start = row * (channelsOfA + channelsOfB);
        y.buffer().put(start, a.buffer(), row * channelsOfA, channelsOfA);
        y.buffer().put(start + channelsOfA, b.buffer(), row * channelsOfB, channelsOfB);
      }
    };
  }
}
