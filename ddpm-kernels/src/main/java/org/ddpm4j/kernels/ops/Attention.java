package org.ddpm4j.kernels.ops;

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
 * Scaled dot-product attention between the positions of each image (Vaswani et al. 2017, eq. 1).
 * Input: queries, keys and values side by side, {@code [N,H,W,3·heads·d]}. Output: {@code
 * [N,H,W,heads·d]}.
 */
public final class Attention extends FusedOp {

  /** For SameDiff. */
  public Attention() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param qkv {@code [N,H,W,3·heads·d]}
   * @param heads number of heads
   */
  public Attention(SameDiff graph, SDVariable qkv, int heads) {
    super(1, graph, qkv);
    addIArgument(heads);
  }

  @Override
  public String opName() {
    return "ddpm_attention";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] qkv = inputs.get(0);
    return List.of(new long[] {qkv[0], qkv[1], qkv[2], qkv[3] / 3});
  }

  @Override
  public double flops(List<long[]> inputs) {
    long[] qkv = inputs.get(0);
    return 4.0 * Tensor.length(qkv) / 3 * qkv[1] * qkv[2];
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    AttentionShape shape = AttentionShape.of(inputs.get(0), setting(0));
    return kernel(context, shape, inputs, outputs.get(0));
  }

  static Kernel kernel(KernelContext context, AttentionShape s, List<Tensor> qkv, Tensor y) {
    long positions = s.positions();
    memory.desc weights = Onednn.dense(s.heads(), positions, positions);
    Tensor scratch = context.scratch(s.heads() * positions * positions).get(0);
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
    return ConvolutionOperands.sequence(steps);
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(
        new AttentionGradient(sameDiff, arg(0), gradients.get(0), setting(0)).outputVariable());
  }
}
