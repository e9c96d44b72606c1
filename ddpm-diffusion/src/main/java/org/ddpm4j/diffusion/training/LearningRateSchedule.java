package org.ddpm4j.diffusion.training;

import static org.ddpm4j.diffusion.training.Ranges.require;

import java.util.Objects;

/**
 * How the learning rate moves: up linearly over the first steps, then down as chosen.
 *
 * @param warmupSteps steps until the peak, at least 0
 * @param decay the way down
 */
public record LearningRateSchedule(long warmupSteps, Decay decay) {

  /** The way down from the peak at the end of the warm-up to the end of training. */
  public enum Decay {
    /** Stays at the peak. */
    CONSTANT,
    /** Straight to zero. */
    LINEAR,
    /** Half a cosine to zero (Loshchilov and Hutter 2017, eq. 5). */
    COSINE
  }

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if one is out of range
   */
  public LearningRateSchedule {
    require(warmupSteps >= 0, "number of warm-up steps", warmupSteps, "it must be at least 0");
    Objects.requireNonNull(decay, "decay");
  }

  /**
   * The factor on the peak learning rate.
   *
   * @param step zero-based
   * @param steps of the whole training
   * @return in (0,1]
   */
  public double factor(long step, long steps) {
    if (step < warmupSteps) {
      return (step + 1.0) / warmupSteps;
    }
    double done = (double) (step - warmupSteps) / Math.max(1, steps - warmupSteps);
    return switch (decay) {
      case CONSTANT -> 1;
      case LINEAR -> 1 - done;
      case COSINE -> (1 + Math.cos(Math.PI * done)) / 2;
    };
  }
}
