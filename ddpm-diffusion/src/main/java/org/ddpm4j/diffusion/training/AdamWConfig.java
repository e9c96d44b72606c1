package org.ddpm4j.diffusion.training;

import static org.ddpm4j.diffusion.training.Ranges.require;

/**
 * The constants of AdamW (Loshchilov and Hutter 2019, algorithm 2).
 *
 * @param learningRate peak learning rate, above 0
 * @param beta1 decay of the first moment, in [0,1)
 * @param beta2 decay of the second moment, in [0,1)
 * @param epsilon added to the root of the second moment, above 0
 * @param weightDecay decoupled decay per unit of learning rate, at least 0
 */
public record AdamWConfig(
    double learningRate, double beta1, double beta2, double epsilon, double weightDecay) {

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if one is out of range
   */
  public AdamWConfig {
    require(
        learningRate > 0 && Double.isFinite(learningRate),
        "learning rate",
        learningRate,
        "it must be above 0 and finite");
    require(beta1 >= 0 && beta1 < 1, "beta1 of AdamW", beta1, "it must be in [0,1)");
    require(beta2 >= 0 && beta2 < 1, "beta2 of AdamW", beta2, "it must be in [0,1)");
    require(
        epsilon > 0 && Double.isFinite(epsilon),
        "epsilon of AdamW",
        epsilon,
        "it must be above 0 and finite");
    require(
        weightDecay >= 0 && Double.isFinite(weightDecay),
        "weight decay",
        weightDecay,
        "it must be at least 0 and finite");
  }

  /**
   * PyTorch's defaults.
   *
   * @return learning rate 1e-3, betas 0.9 and 0.999, epsilon 1e-8, weight decay 1e-2
   */
  public static AdamWConfig defaults() {
    return new AdamWConfig(1e-3, 0.9, 0.999, 1e-8, 1e-2);
  }

  /**
   * The same with another learning rate.
   *
   * @param newLearningRate above 0
   * @return the new constants
   */
  public AdamWConfig withLearningRate(double newLearningRate) {
    return new AdamWConfig(newLearningRate, beta1, beta2, epsilon, weightDecay);
  }

  /**
   * The same with other moments.
   *
   * @param newBeta1 in [0,1)
   * @param newBeta2 in [0,1)
   * @return the new constants
   */
  public AdamWConfig withBetas(double newBeta1, double newBeta2) {
    return new AdamWConfig(learningRate, newBeta1, newBeta2, epsilon, weightDecay);
  }
}
