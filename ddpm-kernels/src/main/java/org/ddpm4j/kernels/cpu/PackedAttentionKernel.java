package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.PackedAttention;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link PackedAttention} on a CPU. */
final class PackedAttentionKernel {

  private PackedAttentionKernel() {}

  static Kernel kernel(
      PackedAttention op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    AttentionShape shape = AttentionShape.of(inputs.get(0), op.heads());
    return kernel(context, shape, inputs, outputs.get(0));
  }

  static Kernel kernel(CpuContext context, AttentionShape s, List<CpuTensor> qkv, CpuTensor y) {
    long positions = s.positions();
    memory.desc weights = Onednn.dense(s.heads(), positions, positions);
    CpuTensor scratch = context.scratch(s.heads() * positions * positions).get(0);
    MatrixProduct scores =
        MatrixProduct.scaled(s.inQkv(), s.inQkvTransposed(), weights, 1 / Math.sqrt(s.width()));
    MatrixProduct reading = MatrixProduct.of(weights, s.inQkv(), s.inRows());
    Kernel softmax = Softmax.ofRows(context, scratch, s.heads() * positions, positions);
    List<Kernel> steps = new ArrayList<>();
    for (int n = 0; n < s.images(); n++) {
      steps.add(scores.call(context, s.part(qkv, n, 0), s.part(qkv, n, 1), scratch));
      steps.add(softmax);
      steps.add(reading.call(context, scratch, s.part(qkv, n, 2), s.image(y, n)));
    }
    return Kernel.sequence(steps);
  }
}
