package org.ddpm4j.diffusion.objective;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * All timesteps are equally likely (Ho et al. 2020, algorithm 1).
 *
 * @param timesteps T, at least 1
 */
public record UniformTimesteps(int timesteps) implements TimestepSampler {

  @Override
  public Draw draw(SplittableRandom random, int images) {
    double[] weights = new double[images];
    Arrays.fill(weights, 1);
    int[] t = new int[images];
    for (int i = 0; i < images; i++) {
      t[i] = random.nextInt(timesteps);
    }
    return new Draw(t, weights);
  }

  @Override
  public void update(int[] t, double[] losses) {
    // Nothing is learned from losses.
  }
}
