package org.ddpm4j.diffusion.training;

import org.ddpm4j.unet.Parameters;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/** AdamW (Loshchilov and Hutter 2019, algorithm 2) on flat buffers. */
final class AdamW {

  private final AdamWConfig config;
  private final Parameters firstMoment;
  private final Parameters secondMoment;

  AdamW(AdamWConfig config, Parameters weights) {
    this.config = config;
    this.firstMoment = weights.zerosLike();
    this.secondMoment = weights.zerosLike();
  }

  Parameters firstMoment() {
    return firstMoment;
  }

  Parameters secondMoment() {
    return secondMoment;
  }

  /**
   * Updates the weights.
   *
   * @param step zero-based
   * @param learningRateFactor on the peak learning rate
   */
  void update(Parameters weights, Parameters gradient, long step, double learningRateFactor) {
    INDArray w = weights.flat();
    INDArray g = gradient.flat();
    INDArray m = firstMoment.flat();
    INDArray v = secondMoment.flat();
    double learningRate = config.learningRate() * learningRateFactor;
    double correction1 = 1 - Math.pow(config.beta1(), step + 1.0);
    double correction2 = 1 - Math.pow(config.beta2(), step + 1.0);

    m.muli(config.beta1()).addi(g.mul(1 - config.beta1()));
    v.muli(config.beta2()).addi(g.mul(g).muli(1 - config.beta2()));
    INDArray denominator =
        Transforms.sqrt(v, true).muli(1 / Math.sqrt(correction2)).addi(config.epsilon());
    w.muli(1 - learningRate * config.weightDecay());
    w.subi(m.div(denominator).muli(learningRate / correction1));
  }
}
