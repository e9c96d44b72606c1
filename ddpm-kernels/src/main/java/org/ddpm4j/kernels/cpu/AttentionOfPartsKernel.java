package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.AttentionOfParts;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link AttentionOfParts} on a CPU. */
final class AttentionOfPartsKernel {

  private AttentionOfPartsKernel() {}

  static Kernel kernel(
      AttentionOfParts op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    AttentionShape shape = AttentionShape.ofEach(inputs.get(0), op.heads());
    return AttentionKernel.kernel(context, shape, inputs, outputs.get(0));
  }
}
