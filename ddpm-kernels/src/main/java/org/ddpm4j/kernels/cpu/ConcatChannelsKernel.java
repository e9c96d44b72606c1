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
    return Kernel.sequence(
        List.of(
            ChannelRange.scattering(context, a, y, 0),
            ChannelRange.scattering(context, b, y, a.size(a.shape().length - 1))));
  }
}
