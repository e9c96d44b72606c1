package org.ddpm4j.diffusion.objective;

import java.util.SplittableRandom;

/** Draws the timesteps that a network is trained at. Not thread-safe if it learns from losses. */
public interface TimestepSampler {

  /**
   * Timesteps for the images of a step.
   *
   * @param t zero-based, one for each image
   * @param weights of the images' losses, {@code 1/(T p_t)}, so that the weighted mean is that over
   *     all timesteps alike
   */
  record Draw(int[] t, double[] weights) {}

  /**
   * Draws timesteps.
   *
   * @param random at the beginning of the step's stream
   * @param images how many, N
   * @return N timesteps with their weights
   */
  Draw draw(SplittableRandom random, int images);

  /**
   * Hears of the losses at the timesteps that were drawn.
   *
   * @param t as drawn
   * @param losses of the images, without their weights
   */
  void update(int[] t, double[] losses);
}
