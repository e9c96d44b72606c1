package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.TimeFraction;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link TimeFraction} on a CPU. */
final class TimeFractionKernel {

  private TimeFractionKernel() {}

  static Kernel kernel(
      TimeFraction op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    float timesteps = op.timesteps();
    CpuTensor t = inputs.get(0);
    return () -> {
      for (int n = 0; n < t.length(); n++) {
        outputs.get(0).buffer().put(n, t.buffer().get(n) / timesteps);
      }
    };
  }
}
