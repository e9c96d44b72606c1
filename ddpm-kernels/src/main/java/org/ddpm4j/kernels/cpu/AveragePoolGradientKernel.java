package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.AveragePoolGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link AveragePoolGradient} on a CPU. */
final class AveragePoolGradientKernel {

  private AveragePoolGradientKernel() {}

  static Kernel kernel(
      AveragePoolGradient op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    return Windows2x2.repetitions(inputs.get(0), outputs.get(0), 0.25f);
  }
}
