package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.PackedAttentionGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link PackedAttentionGradient} on a CPU. */
final class PackedAttentionGradientKernel {

  private PackedAttentionGradientKernel() {}

  static Kernel kernel(
      PackedAttentionGradient op,
      CpuContext context,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
    AttentionShape shape = AttentionShape.of(inputs.get(0), op.heads());
    return kernel(context, shape, inputs, inputs.get(1), outputs);
  }

  static Kernel kernel(
      CpuContext context,
      AttentionShape s,
      List<CpuTensor> qkv,
      CpuTensor dy,
      List<CpuTensor> gradient) {
    int positions = s.positions();
    int rows = s.heads() * positions;
    double scale = 1 / Math.sqrt(s.width());
    memory.desc square = Onednn.dense(s.heads(), positions, positions);
    memory.desc factorSquare = Onednn.dense(s.type(), s.heads(), positions, positions);
    memory.desc transposedFactorSquare =
        Onednn.strided(
            s.type(),
            new long[] {s.heads(), positions, positions},
            (long) positions * positions,
            1,
            positions);
    long length = (long) rows * positions;
    List<CpuTensor> scratch = context.scratch(length, length, s.roundedScratch(length));
    CpuTensor weights = scratch.get(0);
    CpuTensor slopes = scratch.get(1);
    // First of the weights, then of the slopes.
    CpuTensor factorWeights = s.factors(weights, scratch.get(2));
    CpuTensor factorSlopes = s.factors(slopes, scratch.get(2));
    MatrixProduct scores = MatrixProduct.scaled(s.inQkv(), s.inQkvTransposed(), square, scale);
    MatrixProduct ofValues = MatrixProduct.of(transposedFactorSquare, s.inRows(), s.inQkv());
    MatrixProduct ofWeights = MatrixProduct.of(s.inRows(), s.inQkvTransposed(), square);
    MatrixProduct ofQueries = MatrixProduct.scaled(factorSquare, s.inQkv(), s.inQkv(), scale);
    MatrixProduct ofKeys =
        MatrixProduct.scaled(transposedFactorSquare, s.inQkv(), s.inQkv(), scale);
    Kernel softmax = Softmax.ofRows(weights.dataType(), rows, positions).inPlace(context, weights);
    Kernel roundingWeights = s.rounding(context, weights, factorWeights);
    Kernel roundingSlopes = s.rounding(context, slopes, factorSlopes);
    Kernel softmaxGradient =
        Softmax.Gradient.ofRows(rows, positions).inPlace(context, weights, slopes);
    List<Kernel> steps = new ArrayList<>();
    for (int n = 0; n < s.images(); n++) {
      CpuTensor q = s.part(qkv, n, 0);
      CpuTensor k = s.part(qkv, n, 1);
      CpuTensor v = s.part(qkv, n, 2);
      CpuTensor slopesOfY = s.image(dy, n);
      steps.add(scores.call(context, q, k, weights));
      steps.add(softmax);
      if (isWanted(gradient, 2)) {
        steps.add(roundingWeights);
        steps.add(ofValues.call(context, factorWeights, slopesOfY, s.part(gradient, n, 2)));
      }
      steps.add(ofWeights.call(context, slopesOfY, v, slopes));
      steps.add(softmaxGradient);
      steps.add(roundingSlopes);
      if (isWanted(gradient, 0)) {
        steps.add(ofQueries.call(context, factorSlopes, k, s.part(gradient, n, 0)));
      }
      if (isWanted(gradient, 1)) {
        steps.add(ofKeys.call(context, factorSlopes, q, s.part(gradient, n, 1)));
      }
    }
    return Kernel.sequence(steps);
  }

  /** Side by side, the three gradients are wanted together. */
  private static boolean isWanted(List<CpuTensor> gradient, int part) {
    return gradient.size() == 1 || gradient.get(part) != null;
  }
}
