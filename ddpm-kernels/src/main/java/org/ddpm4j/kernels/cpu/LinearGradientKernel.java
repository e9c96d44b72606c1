package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.memory;
import org.ddpm4j.kernels.ops.LinearGradient;
import org.ddpm4j.kernels.plan.Kernel;

/** {@link LinearGradient} on a CPU. */
final class LinearGradientKernel {

  private LinearGradientKernel() {}

  static Kernel kernel(
      LinearGradient op, CpuContext context, List<CpuTensor> inputs, List<CpuTensor> outputs) {
    CpuTensor x = inputs.get(0);
    CpuTensor dy = inputs.get(2);
    long n = x.size(0);
    long in = x.size(1);
    long out = dy.size(1);
    memory.desc gradient = Onednn.dense(n, out);
    List<Kernel> steps = new ArrayList<>();
    if (outputs.get(0) != null) {
      memory.desc transposedWeights = Onednn.strided(new long[] {out, in}, 1, out);
      steps.add(
          MatrixProduct.of(gradient, transposedWeights, Onednn.dense(n, in))
              .call(context, dy, inputs.get(1), outputs.get(0)));
    }
    if (outputs.get(1) != null) {
      memory.desc transposedX = Onednn.strided(new long[] {in, n}, 1, in);
      steps.add(
          MatrixProduct.addingTo(outputs.get(1), transposedX, gradient, Onednn.dense(in, out))
              .call(context, x, dy, outputs.get(1)));
    }
    if (outputs.get(2) != null) {
      steps.add(new BiasGradient(context, dy, outputs.get(2)));
    }
    return Kernel.sequence(steps);
  }
}
