package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.LearnedSinusoids;
import org.ddpm4j.kernels.ops.LearnedSinusoidsGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link LearnedSinusoids} on a CPU, with their gradient. Times are few. */
final class LearnedSinusoidsKernels {

  private static final double TURN = 2 * Math.PI;

  private LearnedSinusoidsKernels() {}

  static Kernel forward(
      LearnedSinusoids op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor t = inputs.get(0);
    CpuTensor frequencies = inputs.get(1);
    CpuTensor y = outputs.get(0);
    int count = frequencies.length();
    return () -> {
      for (int n = 0; n < t.length(); n++) {
        int row = n * (1 + 2 * count);
        double time = t.buffer().get(n);
        y.buffer().put(row, (float) time);
        for (int i = 0; i < count; i++) {
          double angle = TURN * time * frequencies.buffer().get(i);
          y.buffer().put(row + 1 + i, (float) Math.sin(angle));
          y.buffer().put(row + 1 + count + i, (float) Math.cos(angle));
        }
      }
    };
  }

  static Kernel gradient(
      LearnedSinusoidsGradient op,
      CpuContext context,
      List<CpuTensor> inputs,
      List<CpuTensor> outputs) {
    CpuTensor t = inputs.get(0);
    CpuTensor frequencies = inputs.get(1);
    CpuTensor dy = inputs.get(2);
    int count = frequencies.length();
    double[] sums = new double[count];
    return () -> {
      for (int n = 0; n < t.length() && outputs.get(0) != null; n++) {
        outputs.get(0).buffer().put(n, 0);
      }
      if (outputs.get(1) == null) {
        return;
      }
      for (int i = 0; i < count; i++) {
        sums[i] = 0;
        for (int n = 0; n < t.length(); n++) {
          int row = n * (1 + 2 * count);
          double turns = TURN * t.buffer().get(n);
          double angle = turns * frequencies.buffer().get(i);
          sums[i] +=
              turns
                  * (Math.cos(angle) * dy.buffer().get(row + 1 + i)
                      - Math.sin(angle) * dy.buffer().get(row + 1 + count + i));
        }
      }
      ParameterGradients.add(outputs.get(1), sums);
    };
  }
}
