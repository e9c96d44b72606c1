package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.SinusoidalEmbedding;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link SinusoidalEmbedding} on a CPU. */
final class SinusoidalEmbeddingKernel {

  private SinusoidalEmbeddingKernel() {}

  static Kernel kernel(
      SinusoidalEmbedding op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    int width = op.width();
    int half = width / 2;
    float[] frequencies = new float[half];
    for (int i = 0; i < half; i++) {
      frequencies[i] = (float) Math.exp(-Math.log(10000) * i / (half - (double) op.shift()));
    }
    int sinesAt = op.sinesAt();
    int cosinesAt = half - sinesAt;
    CpuTensor t = inputs.get(0);
    CpuTensor y = outputs.get(0);
    return () -> {
      for (int n = 0; n < t.length(); n++) {
        for (int i = 0; i < half; i++) {
          float angle = t.buffer().get(n) * frequencies[i];
          y.buffer().put(n * width + sinesAt + i, (float) Math.sin(angle));
          y.buffer().put(n * width + cosinesAt + i, (float) Math.cos(angle));
        }
      }
    };
  }
}
