package org.ddpm4j.diffusion.training;

import static org.ddpm4j.diffusion.training.Ranges.require;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.SortedSet;
import java.util.TreeSet;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;

/**
 * How a network is trained. Everything that decides the result is here, in the data and in the
 * network's initial weights.
 *
 * @param steps optimiser steps, at least 1
 * @param optimizer the constants of AdamW
 * @param learningRate how the learning rate moves
 * @param maxGradientNorm longer gradients are scaled down to this Euclidean norm; above 0, infinity
 *     for no clipping
 * @param emaDecay decay of the moving average of the weights, in [0,1)
 * @param objective what the network is trained for
 * @param seed of timesteps and noise
 * @param reportEvery steps over which reported losses are averaged, at least 1; the last are from
 *     half to one and a half times as many, where there are so many
 * @param accumulate batches of the data whose images together are the batch of a step, at least 1
 * @param emaWarmUp how the decay rises at the beginning, or null for {@code (1+s)/(10+s)} after s
 *     steps
 * @param furtherEmaDecays of moving averages beside the usual one, each in [0,1) and once
 */
public record TrainingConfig(
    long steps,
    AdamWConfig optimizer,
    LearningRateSchedule learningRate,
    double maxGradientNorm,
    double emaDecay,
    ObjectiveConfig objective,
    long seed,
    int reportEvery,
    int accumulate,
    @JsonInclude(JsonInclude.Include.NON_NULL) EmaWarmUp emaWarmUp,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Double> furtherEmaDecays) {

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if one is out of range
   */
  public TrainingConfig {
    require(steps >= 1, "number of training steps", steps, "it must be at least 1");
    Objects.requireNonNull(optimizer, "optimizer");
    Objects.requireNonNull(learningRate, "learningRate");
    require(
        maxGradientNorm > 0,
        "maximal gradient norm",
        maxGradientNorm,
        "it must be above 0, or Infinity for no clipping");
    require(emaDecay >= 0 && emaDecay < 1, "EMA decay", emaDecay, "it must be in [0,1)");
    Objects.requireNonNull(objective, "objective");
    require(reportEvery >= 1, "number of steps in a report", reportEvery, "it must be at least 1");
    require(accumulate >= 1, "number of batches in a step", accumulate, "it must be at least 1");
    furtherEmaDecays = List.copyOf(Objects.requireNonNullElse(furtherEmaDecays, List.of()));
    for (double further : furtherEmaDecays) {
      require(further >= 0 && further < 1, "EMA decay", further, "it must be in [0,1)");
      boolean isTwice = Collections.frequency(furtherEmaDecays, further) > 1;
      require(
          !isTwice && further != emaDecay, "EMA decay", further, "each decay can be given once");
    }
  }

  /**
   * With one batch in a step, and one moving average with the usual warm-up.
   *
   * @param steps optimiser steps
   * @param optimizer the constants of AdamW
   * @param learningRate how the learning rate moves
   * @param maxGradientNorm longer gradients are scaled down to this Euclidean norm
   * @param emaDecay decay of the moving average of the weights
   * @param objective what the network is trained for
   * @param seed of timesteps and noise
   * @param reportEvery steps over which reported losses are averaged
   * @throws IllegalArgumentException if one is out of range
   */
  public TrainingConfig(
      long steps,
      AdamWConfig optimizer,
      LearningRateSchedule learningRate,
      double maxGradientNorm,
      double emaDecay,
      ObjectiveConfig objective,
      long seed,
      int reportEvery) {
    this(
        steps,
        optimizer,
        learningRate,
        maxGradientNorm,
        emaDecay,
        objective,
        seed,
        reportEvery,
        1,
        null,
        List.of());
  }

  /**
   * Sensible values for small images.
   *
   * @param steps optimiser steps
   * @return AdamW's defaults after 100 steps of warm-up, gradients clipped to norm 1, EMA decay
   *     0.995, the simple loss, seed 0, a report every 10 steps
   */
  public static TrainingConfig defaults(long steps) {
    return new TrainingConfig(
        steps,
        AdamWConfig.defaults(),
        new LearningRateSchedule(100, LearningRateSchedule.Decay.CONSTANT),
        1.0,
        0.995,
        ObjectiveConfig.simple(),
        0,
        10);
  }

  /**
   * The same with another length.
   *
   * @param newSteps optimiser steps, at least 1
   * @return the new configuration
   */
  public TrainingConfig withSteps(long newSteps) {
    return new TrainingConfig(
        newSteps,
        optimizer,
        learningRate,
        maxGradientNorm,
        emaDecay,
        objective,
        seed,
        reportEvery,
        accumulate,
        emaWarmUp,
        furtherEmaDecays);
  }

  /**
   * The same with another optimiser.
   *
   * @param newOptimizer the constants of AdamW
   * @return the new configuration
   */
  public TrainingConfig withOptimizer(AdamWConfig newOptimizer) {
    return new TrainingConfig(
        steps,
        newOptimizer,
        learningRate,
        maxGradientNorm,
        emaDecay,
        objective,
        seed,
        reportEvery,
        accumulate,
        emaWarmUp,
        furtherEmaDecays);
  }

  /**
   * The same with another course of the learning rate.
   *
   * @param newLearningRate the course
   * @return the new configuration
   */
  public TrainingConfig withLearningRate(LearningRateSchedule newLearningRate) {
    return new TrainingConfig(
        steps,
        optimizer,
        newLearningRate,
        maxGradientNorm,
        emaDecay,
        objective,
        seed,
        reportEvery,
        accumulate,
        emaWarmUp,
        furtherEmaDecays);
  }

  /**
   * The same for another objective.
   *
   * @param newObjective what the network is trained for
   * @return the new configuration
   */
  public TrainingConfig withObjective(ObjectiveConfig newObjective) {
    return new TrainingConfig(
        steps,
        optimizer,
        learningRate,
        maxGradientNorm,
        emaDecay,
        newObjective,
        seed,
        reportEvery,
        accumulate,
        emaWarmUp,
        furtherEmaDecays);
  }

  /**
   * The same with another seed.
   *
   * @param newSeed of timesteps and noise
   * @return the new configuration
   */
  public TrainingConfig withSeed(long newSeed) {
    return new TrainingConfig(
        steps,
        optimizer,
        learningRate,
        maxGradientNorm,
        emaDecay,
        objective,
        newSeed,
        reportEvery,
        accumulate,
        emaWarmUp,
        furtherEmaDecays);
  }

  /**
   * The same with another number of batches in a step: as one batch so many times as large, up to
   * rounding, in the memory of one.
   *
   * @param newAccumulate batches of the data whose images together are the batch of a step
   * @return the new configuration
   */
  public TrainingConfig withAccumulate(int newAccumulate) {
    return new TrainingConfig(
        steps,
        optimizer,
        learningRate,
        maxGradientNorm,
        emaDecay,
        objective,
        seed,
        reportEvery,
        newAccumulate,
        emaWarmUp,
        furtherEmaDecays);
  }

  /**
   * The same with another warm-up of the moving average.
   *
   * @param newEmaWarmUp how the decay rises, or null for the usual
   * @return the new configuration
   */
  public TrainingConfig withEmaWarmUp(EmaWarmUp newEmaWarmUp) {
    return new TrainingConfig(
        steps,
        optimizer,
        learningRate,
        maxGradientNorm,
        emaDecay,
        objective,
        seed,
        reportEvery,
        accumulate,
        newEmaWarmUp,
        furtherEmaDecays);
  }

  /**
   * The same with further moving averages of the weights.
   *
   * @param newFurtherEmaDecays of moving averages beside the usual one
   * @return the new configuration
   */
  public TrainingConfig withFurtherEmaDecays(List<Double> newFurtherEmaDecays) {
    return new TrainingConfig(
        steps,
        optimizer,
        learningRate,
        maxGradientNorm,
        emaDecay,
        objective,
        seed,
        reportEvery,
        accumulate,
        emaWarmUp,
        newFurtherEmaDecays);
  }

  /**
   * The decays of all moving averages beside the usual one: those that were asked for, and that of
   * the target of a distillation.
   *
   * @return in rising order
   */
  public SortedSet<Double> allFurtherDecays() {
    SortedSet<Double> decays = new TreeSet<>(furtherEmaDecays);
    if (objective.distillation() != null) {
      decays.add(objective.distillation().targetDecay());
    }
    return decays;
  }

  /**
   * The decay of the moving average in a step. It rises to its final value, so that the random
   * first weights are forgotten.
   *
   * @param step zero-based
   * @return in [0,1)
   */
  public double emaDecay(long step) {
    return emaDecay(step, emaDecay);
  }

  /**
   * The decay of a moving average in a step.
   *
   * @param step zero-based
   * @param last to which it rises
   * @return in [0,1)
   */
  public double emaDecay(long step, double last) {
    double risen = emaWarmUp == null ? (1.0 + step) / (10.0 + step) : emaWarmUp.decay(step);
    return Math.min(last, risen);
  }
}
