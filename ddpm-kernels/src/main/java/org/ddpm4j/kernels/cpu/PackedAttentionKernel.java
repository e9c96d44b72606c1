package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.kernels.ops.PackedAttention;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link PackedAttention} on a CPU. */
final class PackedAttentionKernel {

  /** How many scores there are at once, so that they stay in the second-level cache. */
  private static final int MOST_SCORES = 1 << 18;

  private PackedAttentionKernel() {}

  static Kernel kernel(
      PackedAttention op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    AttentionShape shape = AttentionShape.of(inputs.get(0), op.heads());
    return kernel(context, shape, inputs, outputs.get(0));
  }

  static Kernel kernel(CpuContext context, AttentionShape s, List<CpuTensor> qkv, CpuTensor y) {
    int heads = s.heads();
    while (heads > 1
        && (s.heads() % heads != 0 || (long) heads * s.positions() * s.positions() > MOST_SCORES)) {
      heads--;
    }
    int queries = s.positions();
    while (queries % 2 == 0 && (long) queries * s.positions() > MOST_SCORES) {
      queries /= 2;
    }
    return kernel(context, s, qkv, y, heads, queries);
  }

  /** Of so many heads and queries at once, which divide all. */
  static Kernel kernel(
      CpuContext context,
      AttentionShape s,
      List<CpuTensor> qkv,
      CpuTensor y,
      int heads,
      int queries) {
    long length = (long) heads * queries * s.positions();
    List<CpuTensor> scratch = context.scratch(length, s.roundedScratch(length));
    CpuTensor weights = scratch.get(0);
    CpuTensor factors = s.factors(weights, scratch.get(1));
    MatrixProduct scores =
        MatrixProduct.scaled(
            s.inQkv(heads, queries),
            s.inQkvTransposed(heads),
            Onednn.dense(heads, queries, s.positions()),
            1 / Math.sqrt(s.width()));
    MatrixProduct reading =
        MatrixProduct.of(
            Onednn.dense(s.type(), heads, queries, s.positions()),
            s.inQkv(heads, s.positions()),
            s.inRows(heads, queries));
    Kernel softmax =
        Softmax.ofRows(weights.dataType(), (long) heads * queries, s.positions())
            .inPlace(context, weights);
    Kernel rounding = s.rounding(context, weights, factors);
    List<Kernel> steps = new ArrayList<>();
    for (int n = 0; n < s.images(); n++) {
      for (int head = 0; head < s.heads(); head += heads) {
        CpuTensor keys = s.from(head, 0, s.part(qkv, n, 1), s.rowLength());
        CpuTensor values = s.from(head, 0, s.part(qkv, n, 2), s.rowLength());
        for (int first = 0; first < s.positions(); first += queries) {
          CpuTensor asking = s.from(head, first, s.part(qkv, n, 0), s.rowLength());
          CpuTensor answers = s.from(head, first, s.image(y, n), s.features());
          steps.add(scores.call(context, asking, keys, weights));
          steps.add(softmax);
          steps.add(rounding);
          steps.add(reading.call(context, factors, values, answers));
        }
      }
    }
    return Kernel.sequence(steps);
  }
}
