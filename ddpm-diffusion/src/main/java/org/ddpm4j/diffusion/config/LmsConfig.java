package org.ddpm4j.diffusion.config;

import java.util.Objects;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.diffusion.sampling.LmsSampler;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * {@link LmsSampler}.
 *
 * @param spacing which timesteps are visited
 * @param stepsOffset added to the timesteps of {@link TimestepSpacing#LEADING}, at least 0
 * @param levels how the noise levels lie
 * @param order of the solver
 * @param end where a run ends
 */
public record LmsConfig(
    TimestepSpacing spacing, int stepsOffset, LevelSpacing levels, int order, End end)
    implements SamplerConfig.Ending, SamplerConfig.SpacedLevels, SamplerConfig.Ordered {

  /**
   * Checks what goes with what.
   *
   * @throws IllegalArgumentException if the offset does not go with the spacing
   */
  public LmsConfig {
    Objects.requireNonNull(end, "end");
    VisitedTimes.check(spacing, stepsOffset);
    VisitedTimes.checkRatios(SamplerType.LMS, levels);
  }

  /**
   * As k-diffusion has it.
   *
   * @return the configuration
   */
  public static LmsConfig usual() {
    return new LmsConfig(
        TimestepSpacing.LINSPACE, 0, LevelSpacing.TIMESTEPS, LmsSampler.DEFAULT_ORDER, End.CLEAN);
  }

  @Override
  public SamplerType type() {
    return SamplerType.LMS;
  }

  @Override
  public LmsConfig withSpacing(TimestepSpacing newSpacing, int newStepsOffset) {
    return new LmsConfig(newSpacing, newStepsOffset, levels, order, end);
  }

  /** The first and the last of the visited timesteps are where other levels begin and end. */
  @Override
  public boolean usesSpacing() {
    return true;
  }

  @Override
  public LmsConfig withLevels(LevelSpacing newLevels) {
    return new LmsConfig(spacing, stepsOffset, newLevels, order, end);
  }

  @Override
  public LmsConfig withOrder(int newOrder) {
    return new LmsConfig(spacing, stepsOffset, levels, newOrder, end);
  }

  @Override
  public LmsConfig withEnd(End newEnd) {
    return new LmsConfig(spacing, stepsOffset, levels, order, newEnd);
  }

  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    return new LmsSampler(
        VisitedTimes.fractional(spacing, stepsOffset)
            .levels(schedule, part, LevelRange.of(levels), Convention.PAPER, end),
        order,
        x0Constraint);
  }
}
