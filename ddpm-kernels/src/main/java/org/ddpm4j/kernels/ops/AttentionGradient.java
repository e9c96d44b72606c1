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
 * The gradient of {@link Attention}. Inputs: qkv, gradient of the output. Output: gradient of qkv.
 * The attention weights are computed again rather than kept.
 */
public final class AttentionGradient extends FusedOp {

  /** For SameDiff. */
  public AttentionGradient() {
    super(1);
  }

  AttentionGradient(SameDiff graph, SDVariable qkv, SDVariable dy, int heads) {
    super(1, graph, qkv, dy);
    addIArgument(heads);
  }

  @Override
  public String opName() {
    return "ddpm_attention_bp";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0));
  }

  @Override
  public double flops(List<long[]> inputs) {
    long[] qkv = inputs.get(0);
    return 10.0 * Tensor.length(qkv) / 3 * qkv[1] * qkv[2];
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    AttentionShape shape = AttentionShape.of(inputs.get(0), setting(0));
    return kernel(context, shape, inputs, inputs.get(1), outputs);
  }

  static Kernel kernel(
      KernelContext context, AttentionShape s, List<Tensor> qkv, Tensor dy, List<Tensor> gradient) {
    int positions = s.positions();
    int rows = s.heads() * positions;
    double scale = 1 / Math.sqrt(s.width());
    memory.desc square = Onednn.dense(s.heads(), positions, positions);
    memory.desc transposedSquare =
        Onednn.strided(
            new long[] {s.heads(), positions, positions},
            (long) positions * positions,
            1,
            positions);
    List<Tensor> scratch = context.scratch((long) rows * positions, (long) rows * positions);
    Tensor weights = scratch.get(0);
    Tensor slopes = scratch.get(1);
    MatrixProduct scores = MatrixProduct.scaled(s.inQkv(), s.inQkvTransposed(), square, scale);
    MatrixProduct ofValues = MatrixProduct.of(transposedSquare, s.inRows(), s.inQkv());
    MatrixProduct ofWeights = MatrixProduct.of(s.inRows(), s.inQkvTransposed(), square);
    MatrixProduct ofQueries = MatrixProduct.scaled(square, s.inQkv(), s.inQkv(), scale);
    MatrixProduct ofKeys = MatrixProduct.scaled(transposedSquare, s.inQkv(), s.inQkv(), scale);
    Kernel softmax = Softmax.ofRows(context, weights, rows, positions);
    Kernel softmaxGradient = Softmax.gradientOfRows(context, weights, slopes, rows, positions);
    List<Kernel> steps = new ArrayList<>();
    for (int n = 0; n < s.images(); n++) {
      Tensor q = s.part(qkv, n, 0);
      Tensor k = s.part(qkv, n, 1);
      Tensor v = s.part(qkv, n, 2);
      Tensor slopesOfY = s.image(dy, n);
      steps.add(scores.call(context, q, k, weights));
      steps.add(softmax);
      if (isWanted(gradient, 2)) {
        steps.add(ofValues.call(context, weights, slopesOfY, s.part(gradient, n, 2)));
      }
      steps.add(ofWeights.call(context, slopesOfY, v, slopes));
      steps.add(softmaxGradient);
      if (isWanted(gradient, 0)) {
        steps.add(ofQueries.call(context, slopes, k, s.part(gradient, n, 0)));
      }
      if (isWanted(gradient, 1)) {
        steps.add(ofKeys.call(context, slopes, q, s.part(gradient, n, 1)));
      }
    }
    return ConvolutionOperands.sequence(steps);
  }

  /** Side by side, the three gradients are wanted together. */
  private static boolean isWanted(List<Tensor> gradient, int part) {
    return gradient.size() == 1 || gradient.get(part) != null;
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Second derivatives are not supported.");
  }
}
