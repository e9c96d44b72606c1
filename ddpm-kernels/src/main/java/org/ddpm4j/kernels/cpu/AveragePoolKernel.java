package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.AveragePool;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link AveragePool} on a CPU. */
final class AveragePoolKernel {

  private AveragePoolKernel() {}

  static Kernel kernel(
      AveragePool op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    return Windows2x2.sums(inputs.get(0), outputs.get(0), 0.25f);
  }
}
