package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.SplitChannels;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link SplitChannels} on a CPU. */
final class SplitChannelsKernel {

  private SplitChannelsKernel() {}

  static Kernel kernel(
      SplitChannels op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    int channels = x.size(3);
    int rows = x.length() / channels;
    return () -> {
      int begin = 0;
      for (int i = 0; i < 2; i++) {
        int width = i == 0 ? op.firstChannels() : channels - op.firstChannels();
        if (outputs.get(i) != null) {
          for (int row = 0; row < rows; row++) {
            outputs.get(i).buffer().put(row * width, x.buffer(), row * channels + begin, width);
          }
        }
        begin += width;
      }
    };
  }
}
