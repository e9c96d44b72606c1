package org.ddpm4j.kernels.cpu;

import java.nio.FloatBuffer;
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
    AttentionShape s = AttentionShape.of(qkv, op.heads());
    memory.desc summary = Onednn.dense(s.heads(), s.width(), s.width());
    long rows = (long) s.positions() * s.features();
    List<CpuTensor> scratch = context.scratch(rows, rows, (long) s.features() * s.width());
    CpuTensor q = scratch.get(0);
    CpuTensor k = scratch.get(1);
    CpuTensor contextMatrix = scratch.get(2);
    Kernel softmaxOfQueries =
        Softmax.ofRows(context, q, (long) s.positions() * s.heads(), s.width());
    Kernel softmaxOfKeys = Softmax.ofColumns(context, k, s.positions(), s.features());
    MatrixProduct summing =
        MatrixProduct.scaled(s.inRowsTransposed(), s.inQkv(), summary, 1 / Math.sqrt(s.width()));
    MatrixProduct reading = MatrixProduct.of(s.inRows(), summary, s.inRows());
    List<Kernel> steps = new ArrayList<>();
    for (int n = 0; n < s.images(); n++) {
      steps.add(gathering(qkv, s, n, 0, q));
      steps.add(softmaxOfQueries);
      steps.add(gathering(qkv, s, n, 1, k));
      steps.add(softmaxOfKeys);
      steps.add(summing.call(context, k, s.part(qkv, n, 2), contextMatrix));
      steps.add(reading.call(context, q, contextMatrix, s.image(outputs.get(0), n)));
    }
    return Kernel.sequence(steps);
  }

  /** Copies queries (part 0) or keys (1) of one image to rows without gaps. */
  static Kernel gathering(CpuTensor qkv, AttentionShape s, int image, int part, CpuTensor rows) {
    int features = s.features();
    int start = (image * s.positions() * 3 + part) * features;
    FloatBuffer source = qkv.buffer();
    FloatBuffer target = rows.buffer();
    return () -> {
      for (int p = 0; p < s.positions(); p++) {
        target.put(p * features, source, start + p * 3 * features, features);
      }
    };
  }
}
