package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.Mean;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link Mean} on a CPU. */
final class MeanKernel {

  private MeanKernel() {}

  static Kernel kernel(
      Mean op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    return () -> {
      double sum = 0;
      for (int i = 0; i < x.length(); i++) {
        sum += x.buffer().get(i);
      }
      outputs.get(0).buffer().put(0, (float) (sum / x.length()));
    };
  }
}
