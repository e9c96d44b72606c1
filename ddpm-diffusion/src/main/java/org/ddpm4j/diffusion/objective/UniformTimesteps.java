package org.ddpm4j.diffusion.objective;

import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.io.Text;

/**
 * All timesteps are equally likely (Ho et al. 2020, algorithm 1).
 *
 * @param timesteps T, at least 1
 */
public record UniformTimesteps(int timesteps) implements TimestepSampler {

  /**
   * Checks the range.
   *
   * @throws IllegalArgumentException if it is out of range
   */
  public UniformTimesteps {
    requireTimesteps(timesteps);
  }

  static void requireTimesteps(int timesteps) {
    if (timesteps < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "Timesteps cannot be drawn of a chain of %d; give its length T, at least 1.",
              timesteps));
    }
  }

  static void requireImages(CounterRandom random, int images) {
    Objects.requireNonNull(random, "random");
    if (images < 0) {
      throw new IllegalArgumentException(
          Text.format("Timesteps of %d images cannot be drawn; expected at least 0.", images));
    }
  }

  @Override
  public Draw draw(CounterRandom random, long step, long firstImage, int images) {
    requireImages(random, images);
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
