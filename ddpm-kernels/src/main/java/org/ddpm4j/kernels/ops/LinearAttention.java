package org.ddpm4j.kernels.ops;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Onednn;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Attention at a cost linear in the number of positions (Shen et al. 2018). Input: queries, keys
 * and values side by side, {@code [N,H,W,3·heads·d]}. Output: {@code [N,H,W,heads·d]}.
 *
 * <p>One image at a time, so that what is in between stays in the cache.
 */
public final class LinearAttention extends FusedOp {

  /** For SameDiff. */
  public LinearAttention() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param qkv {@code [N,H,W,3·heads·d]}
   * @param heads number of heads
   */
  public LinearAttention(SameDiff graph, SDVariable qkv, int heads) {
    super(1, graph, qkv);
    addIArgument(heads);
  }

  @Override
  public String opName() {
    return "ddpm_linear_attention";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] qkv = inputs.get(0);
    return List.of(new long[] {qkv[0], qkv[1], qkv[2], qkv[3] / 3});
  }

  @Override
  public double flops(List<long[]> inputs) {
    long[] qkv = inputs.get(0);
    return 4.0 * Tensor.length(qkv) / 3 * qkv[3] / (3 * setting(0));
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor qkv = inputs.get(0);
    AttentionShape s = AttentionShape.of(qkv, setting(0));
    memory.desc summary = Onednn.dense(s.heads(), s.width(), s.width());
    long rows = (long) s.positions() * s.features();
    List<Tensor> scratch = context.scratch(rows, rows, (long) s.features() * s.width());
    Tensor q = scratch.get(0);
    Tensor k = scratch.get(1);
    Tensor contextMatrix = scratch.get(2);
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
    return ConvolutionOperands.sequence(steps);
  }

  /** Copies queries (part 0) or keys (1) of one image to rows without gaps. */
  static Kernel gathering(Tensor qkv, AttentionShape s, int image, int part, Tensor rows) {
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

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(
        new LinearAttentionGradient(sameDiff, arg(0), gradients.get(0), setting(0))
            .outputVariable());
  }
}
