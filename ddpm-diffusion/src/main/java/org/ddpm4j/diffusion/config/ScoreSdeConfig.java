package org.ddpm4j.diffusion.config;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.ScoreSdeSampler;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * {@link ScoreSdeSampler} between the least and the greatest noise of a schedule, as diffusers'
 * {@code ScoreSdeVeScheduler}, which asks at levels of times from 1 down to a little above 0, but
 * goes from level to level of as many times from 1 to 0.
 *
 * @param snr r of the corrector, positive; {@code snr}
 * @param correctSteps of the corrector in every step, 0 to 100; {@code correct_steps}
 * @param leastTime at which a run ends, in (0,1); {@code sampling_eps}
 */
public record ScoreSdeConfig(double snr, int correctSteps, double leastTime)
    implements SamplerConfig.OwnTimes {

  private static final int MAX_CORRECT_STEPS = 100;

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public ScoreSdeConfig {
    if (!(snr > 0 && Double.isFinite(snr))
        || correctSteps < 0
        || correctSteps > MAX_CORRECT_STEPS
        || !(leastTime > 0 && leastTime < 1)) {
      throw new IllegalArgumentException(
          Text.format(
              "snr is %s, correct_steps %d and sampling_eps %s; they must be above 0, from 0 to %d, and between 0 and 1.",
              snr, correctSteps, leastTime, MAX_CORRECT_STEPS));
    }
  }

  /**
   * diffusers' defaults.
   *
   * @return a ratio of 0.15, one step of the corrector
   */
  public static ScoreSdeConfig usual() {
    return new ScoreSdeConfig(0.15, 1, 1e-5);
  }

  @Override
  public SamplerType type() {
    return SamplerType.SCORE_SDE;
  }

  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    int steps = part.steps();
    double least = NoiseLevel.of(schedule, 0).rho();
    double greatest = NoiseLevel.of(schedule, schedule.timesteps() - 1).rho();
    if (!Double.isFinite(greatest)) {
      throw new IllegalArgumentException(
          "The sampler score-sde needs some signal at the last timestep; choose a schedule that ends above zero, or another sampler.");
    }
    List<NoiseLevel> levels = new ArrayList<>();
    List<ScoreSdeSampler.Jump> jumps = new ArrayList<>();
    for (int i = steps - part.last(); i < steps; i++) {
      float time = time(i, steps);
      levels.add(NoiseLevel.ofRho(schedule, least * Math.pow(greatest / least, (double) time)));
      // diffusers' arithmetic in single precision, by which some levels are visited twice.
      int number = (int) (time * (steps - 1));
      jumps.add(
          new ScoreSdeSampler.Jump(
              level(least, greatest, number, steps),
              number == 0 ? 0 : level(least, greatest, number - 1, steps)));
    }
    return new ScoreSdeSampler(levels, jumps, snr, correctSteps, x0Constraint);
  }

  /** Evenly from 1 to the least, as PyTorch rounds it. */
  private float time(int i, int steps) {
    if (steps == 1) {
      return 1;
    }
    float step = ((float) leastTime - 1f) / (steps - 1);
    return i < steps / 2 ? 1f + step * i : (float) leastTime - step * (steps - i - 1);
  }

  private static double level(double least, double greatest, int number, int steps) {
    double share = steps == 1 ? 0 : (double) number / (steps - 1);
    return least * Math.pow(greatest / least, share);
  }
}
