package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.LinearAttention;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link LinearAttention} on a CPU. */
final class LinearAttentionKernel {

  private LinearAttentionKernel() {}

  static Kernel kernel(
      LinearAttention op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor qkv = inputs.get(0);
    CpuTensor y = outputs.get(0);
    CpuTensor kept = outputs.size() == 1 ? null : outputs.get(1);
    AttentionShape s = AttentionShape.of(qkv, op.heads());
    memory.desc summary = Onednn.dense(s.type(), s.heads(), s.width(), s.width());
    long rows = kept == null ? (long) s.positions() * s.features() : 0;
    List<CpuTensor> scratch = context.scratch(rows, rows, (long) s.features() * s.width());
    CpuTensor contextMatrix = scratch.get(2);
    Softmax ofQueries = Softmax.ofRows(s.type(), (long) s.positions() * s.heads(), s.width());
    Softmax ofKeys = Softmax.ofColumns(s.type(), s.positions(), s.features());
    MatrixProduct summing =
        MatrixProduct.scaled(s.inRowsTransposed(), s.inQkv(), summary, 1 / Math.sqrt(s.width()));
    MatrixProduct reading = MatrixProduct.of(s.inRows(), summary, s.inRows());
    List<Kernel> steps = new ArrayList<>();
    for (int n = 0; n < s.images(); n++) {
      CpuTensor image = image(qkv, s, n);
      CpuTensor q = kept == null ? rows(s, scratch.get(0)) : s.kept(kept, n, 0);
      CpuTensor k = kept == null ? rows(s, scratch.get(1)) : s.kept(kept, n, 1);
      steps.add(ChannelRange.gathering(context, image, 0, q));
      steps.add(ofQueries.inPlace(context, q));
      steps.add(ChannelRange.gathering(context, image, s.features(), k));
      steps.add(ofKeys.inPlace(context, k));
      steps.add(summing.call(context, k, s.part(qkv, n, 2), contextMatrix));
      steps.add(reading.call(context, q, contextMatrix, s.image(y, n)));
    }
    return Kernel.sequence(steps);
  }

  /** Scratch memory for rows in the format of queries, keys and values. */
  private static CpuTensor rows(AttentionShape s, CpuTensor floats) {
    long[] shape = {s.positions(), s.features()};
    return s.type() == memory.data_type.f32 ? floats.part(0, shape) : floats.asBfloat16(shape);
  }

  /** Queries, keys and values of one image, a row for each position. */
  static CpuTensor image(CpuTensor qkv, AttentionShape s, int n) {
    long width = 3L * s.features();
    return qkv.part(n * s.positions() * width, s.positions(), width);
  }
}
