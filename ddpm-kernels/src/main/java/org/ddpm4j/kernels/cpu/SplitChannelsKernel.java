package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.kernels.ops.SplitChannels;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link SplitChannels} on a CPU. */
final class SplitChannelsKernel {

  private SplitChannelsKernel() {}

  static Kernel kernel(
      SplitChannels op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    List<Kernel> steps = new ArrayList<>();
    if (outputs.get(0) != null) {
      steps.add(ChannelRange.gathering(context, x, 0, outputs.get(0)));
    }
    if (outputs.get(1) != null) {
      steps.add(ChannelRange.gathering(context, x, op.firstChannels(), outputs.get(1)));
    }
    return Kernel.sequence(steps);
  }
}
