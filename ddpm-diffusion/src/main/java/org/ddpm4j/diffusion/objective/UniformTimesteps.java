package org.ddpm4j.diffusion.objective;

import java.util.Arrays;
import org.ddpm4j.diffusion.random.CounterRandom;

/**
 * All timesteps are equally likely (Ho et al. 2020, algorithm 1).
 *
 * @param timesteps T, at least 1
 */
public record UniformTimesteps(int timesteps) implements TimestepSampler {

  @Override
  public Draw draw(CounterRandom random, long step, long firstImage, int images) {
    double[] weights = new double[images];
    Arrays.fill(weights, 1);
    int[] t = new int[images];
    for (int i = 0; i < images; i++) {
      t[i] = random.below(timesteps, firstImage + i, step, 0);
    }
    return new Draw(t, weights);
  }

  @Override
  public void update(int[] t, double[] losses) {
    // Nothing is learned from losses.
  }
}
