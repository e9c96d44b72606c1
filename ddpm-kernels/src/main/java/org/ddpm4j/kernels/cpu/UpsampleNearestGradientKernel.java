package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.UpsampleNearestGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link UpsampleNearestGradient} on a CPU. */
final class UpsampleNearestGradientKernel {

  private UpsampleNearestGradientKernel() {}

  static Kernel kernel(
      UpsampleNearestGradient op,
      CpuContext context,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
    return Windows2x2.sums(inputs.get(0), outputs.get(0), 1);
  }
}
