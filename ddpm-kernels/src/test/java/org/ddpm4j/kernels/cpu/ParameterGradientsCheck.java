package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.BiFunction;
import java.util.random.RandomGenerator;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * Whether a kernel adds the gradients of weights and bias to what is there: both together, each
 * alone with the other left out, and written where that is blank.
 *
 * @param ofWeights the gradient of the weights, by the definition
 * @param ofBias the gradient of the bias, by the definition
 * @param tolerance the relative error of either
 */
record ParameterGradientsCheck(Values ofWeights, Values ofBias, double tolerance) {

  /** The gradient of a bias by the definition: the sum over all positions. */
  static Values biasGradient(Values dy) {
    Values db = Values.zeros(dy.size(3));
    for (int i = 0; i < dy.elements().length; i++) {
      db.elements()[i % dy.size(3)] += dy.elements()[i];
    }
    return db;
  }

  /**
   * Runs the kernels.
   *
   * @param gradients makes a kernel for the sums of weights and bias, either of which may be null
   */
  void run(
      RandomGenerator random,
      KernelTensors tensors,
      CpuContext context,
      BiFunction<CpuTensor, CpuTensor, Kernel> gradients) {
    Values dw = Values.gaussian(random, 1, ofWeights.shape());
    Values db = Values.gaussian(random, 1, ofBias.shape());
    CpuTensor sum = tensors.floats(dw);
    CpuTensor biasSum = tensors.floats(db);
    KernelTensors.poison(context);
    gradients.apply(sum, biasSum).run();
    Values once = NaiveOps.add(dw, ofWeights);
    Values biasOnce = NaiveOps.add(db, ofBias);
    assertClose(once, sum);
    assertClose(biasOnce, biasSum);
    // Each alone, once more.
    gradients.apply(sum, null).run();
    gradients.apply(null, biasSum).run();
    assertClose(NaiveOps.add(once, ofWeights), sum);
    assertClose(NaiveOps.add(biasOnce, ofBias), biasSum);
    // Whatever is there.
    gradients.apply(sum.blank(), biasSum.blank()).run();
    assertClose(ofWeights, sum);
    assertClose(ofBias, biasSum);
  }

  private void assertClose(Values expected, CpuTensor actual) {
    assertThat(expected.relativeErrorOf(Values.of(actual))).isLessThan(tolerance);
  }
}
