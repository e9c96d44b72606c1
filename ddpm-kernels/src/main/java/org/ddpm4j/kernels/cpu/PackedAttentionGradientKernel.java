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
    memory.desc transposedSquare =
        Onednn.strided(
            new long[] {s.heads(), positions, positions},
            (long) positions * positions,
            1,
            positions);
    List<CpuTensor> scratch = context.scratch((long) rows * positions, (long) rows * positions);
    CpuTensor weights = scratch.get(0);
    CpuTensor slopes = scratch.get(1);
    MatrixProduct scores = MatrixProduct.scaled(s.inQkv(), s.inQkvTransposed(), square, scale);
    MatrixProduct ofValues = MatrixProduct.of(transposedSquare, s.inRows(), s.inQkv());
    MatrixProduct ofWeights = MatrixProduct.of(s.inRows(), s.inQkvTransposed(), square);
    MatrixProduct ofQueries = MatrixProduct.scaled(square, s.inQkv(), s.inQkv(), scale);
    MatrixProduct ofKeys = MatrixProduct.scaled(transposedSquare, s.inQkv(), s.inQkv(), scale);
    Kernel softmax = Softmax.ofRows(context, weights, rows, positions);
    Kernel softmaxGradient = Softmax.gradientOfRows(context, weights, slopes, rows, positions);
    List<Kernel> steps = new ArrayList<>();
    for (int n = 0; n < s.images(); n++) {
      CpuTensor q = s.part(qkv, n, 0);
      CpuTensor k = s.part(qkv, n, 1);
      CpuTensor v = s.part(qkv, n, 2);
      CpuTensor slopesOfY = s.image(dy, n);
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
    return Kernel.sequence(steps);
  }

  /** Side by side, the three gradients are wanted together. */
  private static boolean isWanted(List<CpuTensor> gradient, int part) {
    return gradient.size() == 1 || gradient.get(part) != null;
  }
}
