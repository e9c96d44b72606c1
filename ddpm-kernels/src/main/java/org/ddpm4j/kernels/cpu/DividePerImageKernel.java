package org.ddpm4j.kernels.cpu;

import java.util.List;
import org.ddpm4j.kernels.ops.DividePerImage;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link DividePerImage} on a CPU. */
final class DividePerImageKernel {

  private DividePerImageKernel() {}

  static Kernel kernel(
      DividePerImage op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    int perImage = x.length() / x.size(0);
    float[] values = new float[perImage];
    return () -> {
      for (int n = 0; n < x.size(0); n++) {
        x.buffer().get(n * perImage, values);
        float divisor = inputs.get(1).buffer().get(n);
        for (int i = 0; i < perImage; i++) {
          values[i] /= divisor;
        }
        outputs.get(0).buffer().put(n * perImage, values);
      }
    };
  }
}
