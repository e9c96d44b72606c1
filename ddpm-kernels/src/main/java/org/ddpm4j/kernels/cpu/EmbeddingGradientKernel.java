package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.EmbeddingGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link EmbeddingGradient} on a CPU. */
final class EmbeddingGradientKernel {

  private EmbeddingGradientKernel() {}

  static Kernel kernel(
      EmbeddingGradient op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor labels = inputs.get(0);
    CpuTensor dy = inputs.get(2);
    int width = dy.size(1);
    return () -> {
      for (int n = 0; n < labels.length(); n++) {
        if (outputs.get(0) != null) {
          outputs.get(0).buffer().put(n, 0);
        }
        if (outputs.get(1) != null) {
          int row = (int) labels.buffer().get(n) * width;
          addTo(outputs.get(1), row, dy, n * width, width);
        }
      }
    };
  }

  private static void addTo(CpuTensor sum, int to, CpuTensor summand, int from, int length) {
    for (int i = 0; i < length; i++) {
      sum.buffer().put(to + i, sum.buffer().get(to + i) + summand.buffer().get(from + i));
    }
  }
}
