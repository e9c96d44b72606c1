package org.ddpm4j.diffusion.objective;

import java.util.Arrays;
import java.util.Objects;
import org.apache.commons.math3.distribution.NormalDistribution;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * The timestep nearest to a noise-to-signal ratio whose logarithm is normally distributed (Karras
 * et al. 2022, table 1). The distribution itself says how much a timestep counts: losses have no
 * weights.
 *
 * @param schedule of the chain
 * @param mean of log ρ
 * @param deviation of log ρ, positive
 */
public record LogNormalTimesteps(NoiseSchedule schedule, double mean, double deviation)
    implements TimestepSampler {

  private static final double PAPER_MEAN = -1.2;
  private static final double PAPER_DEVIATION = 1.2;

  /** So that no quantile is infinite. */
  private static final double LEAST_PROBABILITY = 1e-12;

  /**
   * Checks the distribution.
   *
   * @throws IllegalArgumentException if it is none
   */
  public LogNormalTimesteps {
    Objects.requireNonNull(schedule, "schedule");
    if (!Double.isFinite(mean) || !(deviation > 0 && deviation < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          Text.format(
              "A mean of %s and a deviation of %s are no distribution of log ρ.", mean, deviation));
    }
  }

  /**
   * Of Karras et al. 2022, table 1.
   *
   * @param schedule of the chain
   * @return with mean -1.2 and deviation 1.2
   */
  public static LogNormalTimesteps paper(NoiseSchedule schedule) {
    return new LogNormalTimesteps(schedule, PAPER_MEAN, PAPER_DEVIATION);
  }

  @Override
  public Draw draw(CounterRandom random, long step, long firstImage, int images) {
    UniformTimesteps.requireImages(random, images);
    double[] weights = new double[images];
    Arrays.fill(weights, 1);
    NormalDistribution normal = new NormalDistribution(null, mean, deviation);
    int[] t = new int[images];
    for (int i = 0; i < images; i++) {
      double probability = Math.max(random.uniform(firstImage + i, step, 0), LEAST_PROBABILITY);
      double ratio = Math.exp(normal.inverseCumulativeProbability(probability));
      t[i] = (int) Math.rint(NoiseLevel.ofRho(schedule, ratio).t());
    }
    return new Draw(t, weights);
  }

  @Override
  public void update(int[] t, double[] losses) {
    // Nothing is learned from losses.
  }
}
