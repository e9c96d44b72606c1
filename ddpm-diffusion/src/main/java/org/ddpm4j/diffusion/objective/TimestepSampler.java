package org.ddpm4j.diffusion.objective;

import org.ddpm4j.diffusion.random.CounterRandom;

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
   * Draws timesteps. That of an image is a function of its number and the step, and of what has
   * been learned from losses.
   *
   * @param random the numbers that decide
   * @param step of the training
   * @param firstImage number of the first image in the batch of the step
   * @param images how many, N, at least 0
   * @return N timesteps with their weights
   * @throws IllegalArgumentException if there are fewer
   */
  Draw draw(CounterRandom random, long step, long firstImage, int images);

  /**
   * Hears of the losses at the timesteps that were drawn.
   *
   * @param t as drawn
   * @param losses of the images, without their weights
   */
  void update(int[] t, double[] losses);
}
