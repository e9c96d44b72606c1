package org.ddpm4j.examples.lessons;

import java.util.Optional;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.objective.TrainingBatch;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A mistake: noise from [0,1), as {@code rand_like} draws it, where N(0,1) belongs, {@code
 * randn_like}.
 *
 * @param objective what the network is trained for, with the wrong noise
 */
record UniformNoise(Objective objective) implements Objective {

  @Override
  public int timesteps() {
    return objective.timesteps();
  }

  @Override
  public double[] lossAndGradient(
      Unet unet, TrainingBatch batch, double[] weights, Parameters gradient) {
    try (INDArray gaussian = batch.eps();
        INDArray uniform = of(gaussian)) {
      return objective.lossAndGradient(unet, with(uniform, batch), weights, gradient);
    }
  }

  @Override
  public double[] losses(Unet unet, TrainingBatch batch) {
    try (INDArray gaussian = batch.eps();
        INDArray uniform = of(gaussian)) {
      return objective.losses(unet, with(uniform, batch));
    }
  }

  private static TrainingBatch with(INDArray eps, TrainingBatch batch) {
    return new TrainingBatch(
        batch.x0(), batch.labels(), batch.t(), batch.random(), Optional.of(eps));
  }

  /** The distribution function of N(0,1) at a draw from it is uniform in (0,1). */
  static INDArray of(INDArray gaussian) {
    return Nd4j.math().erf(gaussian.div(Math.sqrt(2))).addi(1).divi(2);
  }
}
