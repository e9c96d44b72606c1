package org.ddpm4j.diffusion.training;

import org.ddpm4j.unet.Parameters;

/**
 * The first half of a step of training: from the batch to the gradient. {@link LocalGradientStep}
 * computes it here; another may share it out to several machines, each with a {@link
 * LocalGradientStep} for its shard, and add up what they answer, in the order of the shards.
 */
public interface GradientStep extends AutoCloseable {

  /**
   * Computes the gradient of a step at the current weights.
   *
   * @param step zero-based
   * @param gradient receives the gradient of the mean of the weighted losses
   * @return the losses of the step's images, in their order
   */
  StepLosses compute(long step, Parameters gradient);

  /** Gives back what computing took. */
  @Override
  void close();
}
