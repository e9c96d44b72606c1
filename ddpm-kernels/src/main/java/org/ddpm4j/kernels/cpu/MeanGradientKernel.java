package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.MeanGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link MeanGradient} on a CPU. */
final class MeanGradientKernel {

  private MeanGradientKernel() {}

  static Kernel kernel(
      MeanGradient op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor dx = outputs.get(0);
    return () -> {
      float share = inputs.get(1).buffer().get(0) / dx.length();
      for (int i = 0; i < dx.length(); i++) {
        dx.buffer().put(i, share);
      }
    };
  }
}
