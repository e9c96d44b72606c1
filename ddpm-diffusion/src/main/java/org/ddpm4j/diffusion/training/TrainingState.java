package org.ddpm4j.diffusion.training;

import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.ddpm4j.unet.Parameters;

/**
 * The numbers that a step of training changes, in this process's memory.
 *
 * @param weights of the network
 * @param ema moving average of the weights
 * @param firstMoment of AdamW
 * @param secondMoment of AdamW
 * @param furtherEmas moving averages of other decays, by decay
 */
public record TrainingState(
    Parameters weights,
    Parameters ema,
    Parameters firstMoment,
    Parameters secondMoment,
    SortedMap<Double, Parameters> furtherEmas) {

  /** Checks that nothing is missing. */
  public TrainingState {
    Objects.requireNonNull(furtherEmas, "furtherEmas");
    Objects.requireNonNull(weights, "weights");
    Objects.requireNonNull(ema, "ema");
    Objects.requireNonNull(firstMoment, "firstMoment");
    Objects.requireNonNull(secondMoment, "secondMoment");
    furtherEmas = Collections.unmodifiableSortedMap(new TreeMap<>(furtherEmas));
  }

  /**
   * With one moving average.
   *
   * @param weights of the network
   * @param ema moving average of the weights
   * @param firstMoment of AdamW
   * @param secondMoment of AdamW
   */
  public TrainingState(
      Parameters weights, Parameters ema, Parameters firstMoment, Parameters secondMoment) {
    this(weights, ema, firstMoment, secondMoment, new TreeMap<>());
  }

  /**
   * The state before the first step.
   *
   * @param weights of the network; not copied
   * @return a moving average that is the weights, and moments of zero
   */
  public static TrainingState of(Parameters weights) {
    return of(weights, List.of());
  }

  /**
   * The state before the first step of a training with several moving averages.
   *
   * @param weights of the network; not copied
   * @param furtherDecays of the averages beside the usual one
   * @return moving averages that are the weights, and moments of zero
   */
  public static TrainingState of(Parameters weights, Collection<Double> furtherDecays) {
    Objects.requireNonNull(weights, "weights");
    Objects.requireNonNull(furtherDecays, "furtherDecays");
    SortedMap<Double, Parameters> further = new TreeMap<>();
    furtherDecays.forEach(decay -> further.put(decay, copy(weights)));
    return new TrainingState(
        weights, copy(weights), weights.zerosLike(), weights.zerosLike(), further);
  }

  private static Parameters copy(Parameters weights) {
    Parameters copy = weights.zerosLike();
    copy.assign(weights);
    return copy;
  }

  /** Takes over the values of a checkpoint. */
  void assign(Checkpoint from) {
    weights.assign(from.weights());
    ema.assign(from.ema());
    firstMoment.assign(from.firstMoment());
    secondMoment.assign(from.secondMoment());
    furtherEmas.forEach((decay, average) -> average.assign(from.ema(decay)));
  }
}
