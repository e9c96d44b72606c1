package org.ddpm4j.kernels.cpu;

import org.ddpm4j.kernels.plan.Kernel;

/** Additions to the gradients of parameters, or what is written where these are blank. */
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
      double before = sum.isBlank() ? 0 : sum.buffer().get(i);
      sum.buffer().put(i, (float) (before + values[i]));
    }
  }

  /**
   * Adds to some elements, or writes them.
   *
   * @param sum where
   * @param at the first element
   * @param values overwritten
   * @param n how many
   * @param memory of as many elements
   */
  static void add(CpuTensor sum, int at, float[] values, int n, float[] memory) {
    if (!sum.isBlank()) {
      sum.buffer().get(at, memory, 0, n);
      Loops.add(values, memory, n);
    }
    sum.buffer().put(at, values, 0, n);
  }
}
