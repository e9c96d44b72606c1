package org.ddpm4j.diffusion.training;

import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** AdamW (Loshchilov and Hutter 2019, algorithm 2) on flat buffers. */
public final class AdamW {

  private final AdamWConfig config;
  private final Parameters firstMoment;
  private final Parameters secondMoment;

  /**
   * An optimiser at its beginning.
   *
   * @param config its constants
   * @param unet the network whose weights it is to update
   * @return the optimiser, with moments of zero
   */
  public static AdamW of(AdamWConfig config, Unet unet) {
    return new AdamW(config, unet.parameters());
  }

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
   * Updates the weights, unless the update is not finite. Uses the gradient up: nothing here takes
   * memory of its own, which the garbage collector would be slow to give back.
   *
   * @param weights of the network
   * @param gradient of the loss, overwritten
   * @param step zero-based
   * @param learningRateFactor on the peak learning rate
   * @return the Euclidean norm of the gradient's part of the update; if it is not finite, the
   *     weights are as they were
   */
  public double update(
      Parameters weights, Parameters gradient, long step, double learningRateFactor) {
    INDArray w = weights.flat();
    INDArray g = gradient.flat();
    INDArray m = firstMoment.flat();
    INDArray v = secondMoment.flat();
    double learningRate = config.learningRate() * learningRateFactor;
    double correction1 = 1 - Math.pow(config.beta1(), step + 1.0);
    double correction2 = 1 - Math.pow(config.beta2(), step + 1.0);

    m.muli(config.beta1());
    addScaled(m, 1 - config.beta1(), g);
    v.muli(config.beta2());
    addScaled(v, 1 - config.beta2(), g.muli(g));

    // From here on g holds the change before it is scaled: m over the root of v.
    g.assign(v);
    Transforms.sqrt(g, false).muli(1 / Math.sqrt(correction2)).addi(config.epsilon());
    g.rdivi(m);
    double norm = g.norm2Number().doubleValue() * learningRate / correction1;
    if (Double.isFinite(norm)) {
      w.muli(1 - learningRate * config.weightDecay());
      addScaled(w, -learningRate / correction1, g);
    }
    return norm;
  }

  /** {@code y += factor·x}. */
  static void addScaled(INDArray y, double factor, INDArray x) {
    Nd4j.getBlasWrapper().level1().axpy(x.length(), factor, x, y);
  }
}
