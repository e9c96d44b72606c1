package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.LossPerImageGradient;
import org.ddpm4j.kernels.ops.PointwiseLoss;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link LossPerImageGradient} on a CPU. */
final class LossPerImageGradientKernel {

  private LossPerImageGradientKernel() {}

  static Kernel kernel(
      LossPerImageGradient op,
      CpuContext context,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
    PointwiseLoss loss = op.loss();
    CpuTensor predictions = inputs.get(0);
    CpuTensor targets = inputs.get(1);
    int elements = predictions.length() / predictions.size(0);
    return () -> {
      for (int i = 0; i < predictions.length(); i++) {
        double factor = inputs.get(2).buffer().get(i / elements) / elements;
        double prediction = predictions.buffer().get(i);
        double target = targets.buffer().get(i);
        if (outputs.get(0) != null) {
          double slope = loss.predictionSlope(prediction, target);
          outputs.get(0).buffer().put(i, (float) (factor * slope));
        }
        if (outputs.get(1) != null) {
          double slope = loss.targetSlope(prediction, target);
          outputs.get(1).buffer().put(i, (float) (factor * slope));
        }
      }
    };
  }
}
