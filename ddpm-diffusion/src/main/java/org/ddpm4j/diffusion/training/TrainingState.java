package org.ddpm4j.diffusion.training;

import java.util.Objects;
import org.ddpm4j.unet.Parameters;

/**
 * The numbers that a step of training changes, in this process's memory.
 *
 * @param weights of the network
 * @param ema moving average of the weights
 * @param firstMoment of AdamW
 * @param secondMoment of AdamW
 */
public record TrainingState(
    Parameters weights, Parameters ema, Parameters firstMoment, Parameters secondMoment) {

  /**
   * Checks that nothing is missing.
   *
   * @throws NullPointerException if one is missing
   */
  public TrainingState {
    Objects.requireNonNull(weights, "weights");
    Objects.requireNonNull(ema, "ema");
    Objects.requireNonNull(firstMoment, "firstMoment");
    Objects.requireNonNull(secondMoment, "secondMoment");
  }

  /**
   * The state before the first step.
   *
   * @param weights of the network; not copied
   * @return a moving average that is the weights, and moments of zero
   */
  public static TrainingState of(Parameters weights) {
    Parameters ema = weights.zerosLike();
    ema.assign(weights);
    return new TrainingState(weights, ema, weights.zerosLike(), weights.zerosLike());
  }

  /** Takes over the values of a checkpoint. */
  void assign(Checkpoint from) {
    weights.assign(from.weights());
    ema.assign(from.ema());
    firstMoment.assign(from.firstMoment());
    secondMoment.assign(from.secondMoment());
  }
}
