package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.LossPerImage;
import org.ddpm4j.kernels.ops.PointwiseLoss;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link LossPerImage} on a CPU. */
final class LossPerImageKernel {

  private LossPerImageKernel() {}

  static Kernel kernel(
      LossPerImage op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    PointwiseLoss loss = op.loss();
    CpuTensor prediction = inputs.get(0);
    CpuTensor target = inputs.get(1);
    int images = prediction.size(0);
    int elements = prediction.length() / images;
    return () -> {
      for (int n = 0; n < images; n++) {
        double sum = 0;
        for (int i = n * elements; i < (n + 1) * elements; i++) {
          sum += loss.value(prediction.buffer().get(i), target.buffer().get(i));
        }
        outputs.get(0).buffer().put(n, (float) (sum / elements));
      }
    };
  }
}
