package org.ddpm4j.diffusion.config;

import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.LcmSampler;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * {@link LcmSampler}. Its timesteps are some of those that the network was distilled at, {@code k
 * ⌊T/n⌋ - 1} for k from 1 to n; no other spacing goes with it.
 *
 * @param originalSteps n, at least 1 and at most T; but the {@linkplain #usual usual} number is T
 *     where that is less
 * @param timestepScaling of the boundary condition, positive
 */
public record LcmConfig(int originalSteps, double timestepScaling)
    implements SamplerConfig.OwnTimes {

  private static final int DEFAULT_ORIGINAL_STEPS = 50;

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public LcmConfig {
    if (originalSteps < 1) {
      throw new IllegalArgumentException(
          Text.format("The number of original steps is %d; it must be at least 1.", originalSteps));
    }
    LcmSampler.requireScaling(timestepScaling);
  }

  /**
   * With the authors' options.
   *
   * @return 50 original steps, timesteps times 10
   */
  public static LcmConfig usual() {
    return new LcmConfig(DEFAULT_ORIGINAL_STEPS, LcmSampler.DEFAULT_TIMESTEP_SCALING);
  }

  /**
   * The number n of a chain.
   *
   * @param timesteps T
   * @return the original steps, or T if they are the usual ones and T is less
   * @throws IllegalArgumentException if there are other ones, more than T: a network cannot have
   *     been distilled at more timesteps than there are
   */
  public int originalStepsOf(int timesteps) {
    if (originalSteps > timesteps && originalSteps != DEFAULT_ORIGINAL_STEPS) {
      throw new IllegalArgumentException(
          Text.format(
              "The number of original steps is %d, but there are only %d timesteps; give as many as the network was distilled at.",
              originalSteps, timesteps));
    }
    return Math.min(originalSteps, timesteps);
  }

  @Override
  public SamplerType type() {
    return SamplerType.LCM;
  }

  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    int original = originalStepsOf(schedule.timesteps());
    if (part.steps() > original) {
      throw new IllegalArgumentException(
          Text.format(
              "%d steps are not possible where the network was distilled at %d timestep(s); lcm takes at most as many.",
              part.steps(), original));
    }
    double[] times = new double[part.steps()];
    for (int i = 0; i < times.length; i++) {
      long skipped = (long) i * original / part.steps();
      times[i] = (original - skipped) * (schedule.timesteps() / original) - 1;
    }
    return new LcmSampler(
        NoiseLevels.of(schedule, times).last(part.last()), timestepScaling, x0Constraint);
  }
}
