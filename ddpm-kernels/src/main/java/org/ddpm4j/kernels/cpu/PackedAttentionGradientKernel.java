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
    Operands operands = new Operands(qkv, dy, gradient);
    Heads all = Heads.of(s, s.heads());
    double flops = 10.0 * s.images() * s.features() * s.positions() * s.positions();
    return SharedKernel.of(
        context,
        flops,
        all.kernel(context, operands, all.blocks()),
        threads -> parts(context, all, operands, threads));
  }

  private static List<Kernel> parts(CpuContext context, Heads all, Operands operands, int threads) {
    AttentionShape s = all.shape();
    int some = s.heads();
    while (some > 1 && s.images() * (s.heads() / some) < threads) {
      some = Divisors.largest(s.heads(), some - 1);
    }
    Heads heads = Heads.of(s, some);
    if (!heads.code().equals(all.code())) {
      return List.of();
    }
    List<Block> blocks = heads.blocks();
    int count = Math.min(threads, blocks.size());
    List<Kernel> parts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      List<Block> share =
          blocks.subList(blocks.size() * i / count, blocks.size() * (i + 1) / count);
      parts.add(heads.kernel(context.ofPart(i), operands, share));
    }
    return parts;
  }

  /** What is read and written. */
  private record Operands(List<CpuTensor> qkv, CpuTensor dy, List<CpuTensor> gradient) {}

  /** What is worked on at once, by the image and the first of its heads. */
  private record Block(int image, int head) {}

  /** What oneDNN computes of some heads of one image. */
  private record Heads(
      AttentionShape shape,
      int heads,
      Softmax softmax,
      Softmax.Gradient softmaxGradient,
      MatrixProduct scores,
      MatrixProduct ofValues,
      MatrixProduct ofWeights,
      MatrixProduct ofQueries,
      MatrixProduct ofKeys) {

    static Heads of(AttentionShape s, int heads) {
      int positions = s.positions();
      double scale = 1 / Math.sqrt(s.width());
      memory.desc square = Onednn.dense(heads, positions, positions);
      memory.desc factorSquare = Onednn.dense(s.type(), heads, positions, positions);
      memory.desc transposedFactorSquare =
          Onednn.strided(
              s.type(),
              new long[] {heads, positions, positions},
              (long) positions * positions,
              1,
              positions);
      memory.desc inQkv = s.inQkv(heads, positions);
      memory.desc inQkvTransposed = s.inQkvTransposed(heads);
      memory.desc inRows = s.inRows(heads, positions);
      int rows = heads * positions;
      return new Heads(
          s,
          heads,
          Softmax.ofRows(memory.data_type.f32, rows, positions),
          Softmax.Gradient.ofRows(rows, positions),
          MatrixProduct.scaled(inQkv, inQkvTransposed, square, scale),
          MatrixProduct.of(transposedFactorSquare, inRows, inQkv),
          MatrixProduct.of(inRows, inQkvTransposed, square),
          MatrixProduct.scaled(factorSquare, inQkv, inQkv, scale),
          MatrixProduct.scaled(transposedFactorSquare, inQkv, inQkv, scale));
    }

    /** The names of oneDNN's code. */
    List<String> code() {
      return List.of(
          softmax.code(),
          scores.code(),
          ofValues.code(),
          ofWeights.code(),
          ofQueries.code(),
          ofKeys.code());
    }

    List<Block> blocks() {
      List<Block> blocks = new ArrayList<>();
      for (int n = 0; n < shape.images(); n++) {
        for (int head = 0; head < shape.heads(); head += heads) {
          blocks.add(new Block(n, head));
        }
      }
      return blocks;
    }

    /** Some blocks one after the other. */
    Kernel kernel(CpuContext context, Operands operands, List<Block> blocks) {
      long length = (long) heads * shape.positions() * shape.positions();
      List<CpuTensor> scratch = context.scratch(length, length, shape.roundedScratch(length));
      CpuTensor weights = scratch.get(0);
      CpuTensor slopes = scratch.get(1);
      // First of the weights, then of the slopes.
      CpuTensor factorWeights = shape.factors(weights, scratch.get(2));
      CpuTensor factorSlopes = shape.factors(slopes, scratch.get(2));
      Kernel ofScores = softmax.inPlace(context, weights);
      Kernel ofSlopes = softmaxGradient.inPlace(context, weights, slopes);
      Kernel roundingWeights = shape.rounding(context, weights, factorWeights);
      Kernel roundingSlopes = shape.rounding(context, slopes, factorSlopes);
      List<Kernel> steps = new ArrayList<>();
      for (Block block : blocks) {
        CpuTensor q = part(operands.qkv, block, 0);
        CpuTensor k = part(operands.qkv, block, 1);
        CpuTensor v = part(operands.qkv, block, 2);
        CpuTensor slopesOfY =
            shape.from(block.head, 0, shape.image(operands.dy, block.image), shape.features());
        steps.add(scores.call(context, q, k, weights));
        steps.add(ofScores);
        if (isWanted(operands.gradient, 2)) {
          CpuTensor dv = part(operands.gradient, block, 2);
          steps.add(roundingWeights);
          steps.add(ofValues.call(context, factorWeights, slopesOfY, dv));
        }
        steps.add(ofWeights.call(context, slopesOfY, v, slopes));
        steps.add(ofSlopes);
        steps.add(roundingSlopes);
        if (isWanted(operands.gradient, 0)) {
          CpuTensor dq = part(operands.gradient, block, 0);
          steps.add(ofQueries.call(context, factorSlopes, k, dq));
        }
        if (isWanted(operands.gradient, 1)) {
          CpuTensor dk = part(operands.gradient, block, 1);
          steps.add(ofKeys.call(context, factorSlopes, q, dk));
        }
      }
      return Kernel.sequence(steps);
    }

    private CpuTensor part(List<CpuTensor> tensors, Block block, int part) {
      return shape.from(block.head, 0, shape.part(tensors, block.image, part), shape.rowLength());
    }
  }

  /** Side by side, the three gradients are wanted together. */
  private static boolean isWanted(List<CpuTensor> gradient, int part) {
    return gradient.size() == 1 || gradient.get(part) != null;
  }
}
