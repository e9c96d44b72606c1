package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.Attention;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link Attention} on a CPU. */
final class AttentionKernel {

  private AttentionKernel() {}

  static Kernel kernel(
      Attention op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    AttentionShape shape = AttentionShape.ofEach(inputs.get(0), op.heads());
    return PackedAttentionKernel.kernel(context, shape, inputs, outputs.get(0));
  }
}
