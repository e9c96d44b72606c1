package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.AttentionOfPartsGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link AttentionOfPartsGradient} on a CPU. */
final class AttentionOfPartsGradientKernel {

  private AttentionOfPartsGradientKernel() {}

  static Kernel kernel(
      AttentionOfPartsGradient op,
      CpuContext context,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
    AttentionShape shape = AttentionShape.ofEach(inputs.get(0), op.heads());
    return AttentionGradientKernel.kernel(context, shape, inputs, inputs.get(3), outputs);
  }
}
