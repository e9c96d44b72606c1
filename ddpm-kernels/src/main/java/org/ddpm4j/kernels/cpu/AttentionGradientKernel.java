package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.AttentionGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link AttentionGradient} on a CPU. */
final class AttentionGradientKernel {

  private AttentionGradientKernel() {}

  static Kernel kernel(
      AttentionGradient op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    AttentionShape shape = AttentionShape.ofEach(inputs.get(0), op.heads());
    return PackedAttentionGradientKernel.kernel(context, shape, inputs, inputs.get(3), outputs);
  }
}
