package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.UpsampleNearest;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link UpsampleNearest} on a CPU. */
final class UpsampleNearestKernel {

  private UpsampleNearestKernel() {}

  static Kernel kernel(
      UpsampleNearest op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    return Windows2x2.repetitions(inputs.get(0), outputs.get(0), 1);
  }
}
