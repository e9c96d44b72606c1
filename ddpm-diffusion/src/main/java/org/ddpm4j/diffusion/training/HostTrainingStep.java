package org.ddpm4j.diffusion.training;

import java.util.Objects;
import org.ddpm4j.unet.Parameters;

/** A step in this process's memory: a {@link GradientStep} and a {@link WeightUpdate}. */
public final class HostTrainingStep implements TrainingStep {

  private final GradientStep gradients;
  private final WeightUpdate update;
  private final Parameters gradient;

  /**
   * A step of two halves, which it closes when it is closed.
   *
   * @param gradients the first
   * @param update the second
   * @param gradient what goes from the first to the second
   */
  public HostTrainingStep(GradientStep gradients, WeightUpdate update, Parameters gradient) {
    this.gradients = Objects.requireNonNull(gradients, "gradients");
    this.update = Objects.requireNonNull(update, "update");
    this.gradient = Objects.requireNonNull(gradient, "gradient");
  }

  /**
   * The steps of a training on this machine.
   *
   * @param task what they are made of
   * @return the steps
   */
  public static HostTrainingStep of(Task task) {
    Objects.requireNonNull(task, "task");
    return new HostTrainingStep(
        new LocalGradientStep(
            task.unet(), task.objective(), task.config(), task.data(), task.timesteps()),
        new WeightUpdate(task.unet(), task.config(), task.state()),
        task.state().weights().zerosLike());
  }

  @Override
  public Result run(long step, double learningRateFactor, double emaDecay) {
    StepLosses losses = gradients.compute(step, gradient);
    TrainingDivergedException.requireFinite(step, "loss", losses.mean());
    return new Result(losses, update.apply(step, gradient, learningRateFactor, emaDecay));
  }

  @Override
  public void bringHome() {
    // The state is never anywhere else.
  }

  @Override
  public void startFromHome() {
    // The state is read at every step.
  }

  @Override
  public void close() {
    gradients.close();
    update.close();
  }
}
