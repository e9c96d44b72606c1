package org.ddpm4j.diffusion.training;

import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.objective.TimestepSampler;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.Unet;

/**
 * A whole step of training, from the batch to the new weights. {@link HostTrainingStep} does it in
 * this process's memory; a device may keep weights, moments and moving average in its own and bring
 * them home when somebody wants to see them.
 */
public interface TrainingStep extends AutoCloseable {

  /**
   * Does a step.
   *
   * @param step zero-based
   * @param learningRateFactor on the peak learning rate
   * @param emaDecay of the moving average in this step
   * @return how it went
   * @throws TrainingDivergedException if the loss, the gradient's norm or the update is not finite;
   *     the weights and their average are those before the step
   */
  Result run(long step, double learningRateFactor, double emaDecay);

  /**
   * The steps of a training: on the device that the network computes on where that can train by
   * itself, on the host otherwise.
   *
   * @param task what they are made of
   * @return the steps
   * @throws IllegalArgumentException if several devices are to train and cannot do so by themselves
   */
  static TrainingStep of(Task task) {
    Objects.requireNonNull(task, "task");
    Optional<TrainingStep> onDevice = DeviceTrainingStep.of(task);
    if (onDevice.isEmpty() && !task.unet().execution().helpers().isEmpty()) {
      throw new IllegalArgumentException(
          Text.format(
              "Several devices do not train together with %s; name one device, or do without.",
              DeviceTrainingStep.obstacle(task).orElse("this network")));
    }
    return onDevice.orElseGet(() -> HostTrainingStep.of(task));
  }

  /**
   * Makes the host's {@link TrainingState} that after the last step. Does nothing where it always
   * is.
   */
  void bringHome();

  /**
   * Goes on from the host's {@link TrainingState}, which somebody else has written to. Does nothing
   * where it is read anyway.
   */
  void startFromHome();

  /** Gives back memory and threads of its own; what was not brought home is lost. */
  @Override
  void close();

  /**
   * How a step went.
   *
   * @param losses of its images
   * @param gradientNorm Euclidean norm of the gradient before clipping
   */
  record Result(StepLosses losses, double gradientNorm) {

    /**
     * Checks that nothing is missing.
     *
     * @throws NullPointerException if the losses are missing
     */
    public Result {
      Objects.requireNonNull(losses, "losses");
    }
  }

  /**
   * What a step is made of.
   *
   * @param unet the network, whose parameters are the state's weights
   * @param objective what it is trained for
   * @param config how to train
   * @param data the images
   * @param timesteps draws the timesteps; the trainer tells it of the losses
   * @param state the host's numbers
   */
  record Task(
      Unet unet,
      Objective objective,
      TrainingConfig config,
      BatchSource data,
      TimestepSampler timesteps,
      TrainingState state) {

    /** Checks that nothing is missing. */
    public Task {
      Objects.requireNonNull(unet, "unet");
      Objects.requireNonNull(objective, "objective");
      Objects.requireNonNull(config, "config");
      Objects.requireNonNull(data, "data");
      Objects.requireNonNull(timesteps, "timesteps");
      Objects.requireNonNull(state, "state");
    }
  }

  /** Makes the steps of trainings, on a device for example. */
  @FunctionalInterface
  interface Factory {

    /**
     * The steps of a training.
     *
     * @param task what they are made of
     * @return the steps, the trainer's to close
     */
    TrainingStep create(Task task);
  }
}
