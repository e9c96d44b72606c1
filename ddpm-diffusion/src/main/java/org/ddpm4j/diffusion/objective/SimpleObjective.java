package org.ddpm4j.diffusion.objective;

import java.util.Objects;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.LossFunction;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetInput;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The error of what a network predicts of a noisy image (Ho et al. 2020, algorithm 1 and eq. 14),
 * weighted by the timestep.
 *
 * @param schedule of the chain
 * @param parameterization what the network predicts
 * @param loss what an error costs
 * @param weighting how much it counts at each timestep
 */
public record SimpleObjective(
    NoiseSchedule schedule,
    Parameterization parameterization,
    LossFunction loss,
    LossWeighting weighting)
    implements Objective {

  /**
   * Checks that nothing is missing.
   *
   * @param schedule of the chain
   * @param parameterization what the network predicts
   * @param loss what an error costs
   * @param weighting how much it counts at each timestep
   * @throws NullPointerException if one is missing
   */
  public SimpleObjective {
    Objects.requireNonNull(schedule, "schedule");
    Objects.requireNonNull(parameterization, "parameterization");
    Objects.requireNonNull(loss, "loss");
    Objects.requireNonNull(weighting, "weighting");
  }

  @Override
  public int timesteps() {
    return schedule.timesteps();
  }

  @Override
  public double[] lossAndGradient(
      Unet unet, TrainingBatch batch, double[] weights, Parameters gradient) {
    float[] factors = new float[batch.size()];
    for (int i = 0; i < factors.length; i++) {
      factors[i] = (float) (weights[i] * weight(batch.t()[i]));
    }
    try (Question question = ask(batch);
        INDArray imageWeights = Nd4j.createFromArray(factors)) {
      double[] losses =
          unet.lossAndGradient(loss, question.input(), question.target(), imageWeights, gradient);
      return weigh(losses, batch.t());
    }
  }

  @Override
  public double[] losses(Unet unet, TrainingBatch batch) {
    try (Question question = ask(batch)) {
      return weigh(unet.losses(loss, question.input(), question.target()), batch.t());
    }
  }

  private double weight(int t) {
    return weighting.weight(parameterization, schedule, t);
  }

  private double[] weigh(double[] losses, int[] t) {
    for (int i = 0; i < losses.length; i++) {
      losses[i] *= weight(t[i]);
    }
    return losses;
  }

  /**
   * What a network is asked and what it should answer. Closed at once after use: the garbage
   * collector, which sees only the small Java objects, may wait for hours.
   */
  private record Question(UnetInput input, INDArray target, boolean ownsTarget)
      implements AutoCloseable {

    @Override
    public void close() {
      input.x().close();
      input.t().close();
      if (ownsTarget) {
        target.close();
      }
    }
  }

  private Question ask(TrainingBatch batch) {
    INDArray xt = new ForwardProcess(schedule).qSample(batch.x0(), batch.t(), batch.eps());
    UnetInput input =
        new UnetInput(xt, Nd4j.createFromArray(batch.t()), batch.labels().orElse(null));
    return parameterization == Parameterization.EPSILON
        ? new Question(input, batch.eps(), false)
        : new Question(
            input, parameterization.target(schedule, batch.x0(), batch.eps(), batch.t()), true);
  }
}
