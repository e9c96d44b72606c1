package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.FourierEmbedding;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link FourierEmbedding} on a CPU. */
final class FourierEmbeddingKernel {

  private FourierEmbeddingKernel() {}

  static Kernel kernel(
      FourierEmbedding op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor t = inputs.get(0);
    CpuTensor frequencies = inputs.get(1);
    CpuTensor y = outputs.get(0);
    int half = frequencies.length();
    return () -> {
      for (int n = 0; n < t.length(); n++) {
        double turns = 2 * Math.PI * Math.log(t.buffer().get(n));
        for (int i = 0; i < half; i++) {
          double angle = turns * frequencies.buffer().get(i);
          y.buffer().put(2 * n * half + i, (float) Math.sin(angle));
          y.buffer().put((2 * n + 1) * half + i, (float) Math.cos(angle));
        }
      }
    };
  }
}
