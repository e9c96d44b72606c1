package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.Dropout;
import org.ddpm4j.kernels.plan.Kernel;
import org.ddpm4j.kernels.random.BatchKey;
import org.ddpm4j.kernels.random.Philox;

/** {@link Dropout} on a CPU: the words of a piece of an image, then its elements. */
final class DropoutKernel {

  /** Elements of a piece: both of its arrays stay in the first-level cache. */
  private static final int TILE = 1024;

  private DropoutKernel() {}

  static Kernel kernel(
      Dropout op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    CpuTensor keys = inputs.get(1);
    CpuTensor y = outputs.get(0);
    int perImage = x.length() / x.size(0);
    int threshold = op.threshold();
    float scale = (float) op.scale();
    float[] row = new float[BatchKey.PIECES];
    float[] values = new float[TILE];
    int[] words = new int[TILE];
    return () -> {
      for (int n = 0; n < x.size(0); n++) {
        keys.buffer().get(n * BatchKey.PIECES, row);
        BatchKey key = BatchKey.ofRow(row);
        for (int from = 0; from < perImage; from += TILE) {
          int count = Math.min(TILE, perImage - from);
          Philox.fill(
              key.seed(),
              from / Philox.WORDS,
              (int) key.firstImage(),
              (int) key.step(),
              op.counter(key.purpose()),
              (count + Philox.WORDS - 1) / Philox.WORDS,
              words);
          x.buffer().get(n * perImage + from, values, 0, count);
          drop(values, words, threshold, scale, count);
          y.buffer().put(n * perImage + from, values, 0, count);
        }
      }
    };
  }

  /** Without branches, which would be mispredicted, and so that it can be vectorised. */
  private static void drop(float[] values, int[] words, int threshold, float scale, int count) {
    for (int i = 0; i < count; i++) {
      int dropped = (words[i] >>> 1) - threshold >>> 31;
      values[i] *= scale * (1 - dropped);
    }
  }
}
