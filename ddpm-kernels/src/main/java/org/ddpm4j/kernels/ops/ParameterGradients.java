package org.ddpm4j.kernels.ops;

import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.Loops;
import org.ddpm4j.kernels.Tensor;

/** Additions to the gradients of small parameters. */
final class ParameterGradients {

  private ParameterGradients() {}

  /** {@code sum += summand}. */
  static Kernel adding(Tensor summand, Tensor sum) {
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
  static void add(Tensor sum, double[] values) {
    for (int i = 0; i < sum.length(); i++) {
      sum.buffer().put(i, (float) (sum.buffer().get(i) + values[i]));
    }
  }
}
