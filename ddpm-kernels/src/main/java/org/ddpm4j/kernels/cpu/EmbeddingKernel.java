package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.Embedding;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link Embedding} on a CPU. */
final class EmbeddingKernel {

  private EmbeddingKernel() {}

  static Kernel kernel(
      Embedding op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor labels = inputs.get(0);
    CpuTensor table = inputs.get(1);
    int width = table.size(1);
    return () -> {
      for (int n = 0; n < labels.length(); n++) {
        int row = (int) labels.buffer().get(n);
        outputs.get(0).buffer().put(n * width, table.buffer(), row * width, width);
      }
    };
  }
}
