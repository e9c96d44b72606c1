package org.ddpm4j.kernels.cpu;

import org.ddpm4j.kernels.plan.Kernel;

/** Additions to the gradients of small parameters. */
final class ParameterGradients {

  private ParameterGradients() {}

  /** {@code sum += summand}. */
  static Kernel adding(CpuTensor summand, CpuTensor sum) {
    float[] values = new float[sum.length()];
    float[] more = new float[sum.length()];
    return () -> {
      sum.buffer().get(0, values);
      summand.buffer().get(0, more);
      Loops.add(values, more, values.length);
      sum.buffer().put(0, values);
    };
  }

  /** {@code sum += values}. */
  static void add(CpuTensor sum, double[] values) {
    for (int i = 0; i < sum.length(); i++) {
      sum.buffer().put(i, (float) (sum.buffer().get(i) + values[i]));
    }
  }
}
