package org.ddpm4j.diffusion.cold;

import java.util.Objects;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.objective.TrainingBatch;
import org.ddpm4j.kernels.ops.LossFunction;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetInput;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The error of a network that guesses the image x0 from the degraded {@code D(x0, t+1)} and t
 * (Bansal et al. 2022, section 3.1).
 *
 * <p>The key of an image's degradation is a function of the seed, the step and the image's number:
 * the place of a mask, for example, is drawn anew whenever an image comes by.
 *
 * @param degradation what the network learns to undo
 * @param loss of an error
 */
public record ColdObjective(Degradation degradation, LossFunction loss) implements Objective {

  /**
   * Checks that nothing is missing.
   *
   * @throws NullPointerException if one is missing
   */
  public ColdObjective {
    Objects.requireNonNull(degradation, "degradation");
    Objects.requireNonNull(loss, "loss");
  }

  /**
   * With the paper's loss, L1.
   *
   * @param degradation what the network learns to undo
   * @return the objective
   */
  public static ColdObjective of(Degradation degradation) {
    return new ColdObjective(degradation, LossFunction.L1);
  }

  @Override
  public int timesteps() {
    return degradation.steps();
  }

  @Override
  public double[] lossAndGradient(
      Unet unet, TrainingBatch batch, double[] weights, Parameters gradient) {
    try (INDArray xs = degrade(batch);
        INDArray t = Nd4j.createFromArray(batch.t());
        INDArray imageWeights = Nd4j.createFromArray(weights)) {
      UnetInput input =
          new UnetInput(xs, t, batch.labels().orElse(null)).withDropout(batch.dropout());
      return unet.lossAndGradient(loss, input, batch.x0(), imageWeights, gradient);
    }
  }

  @Override
  public double[] losses(Unet unet, TrainingBatch batch) {
    try (INDArray xs = degrade(batch);
        INDArray t = Nd4j.createFromArray(batch.t())) {
      return unet.losses(loss, new UnetInput(xs, t, batch.labels().orElse(null)), batch.x0());
    }
  }

  private INDArray degrade(TrainingBatch batch) {
    int[] severity = new int[batch.size()];
    for (int i = 0; i < severity.length; i++) {
      severity[i] = batch.t()[i] + 1;
    }
    return degradation.degrade(batch.x0(), severity, batch.random().keys(batch.size()));
  }
}
