package org.ddpm4j.diffusion.config;

import java.util.Objects;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.DdimSampler;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * {@link DdimSampler}.
 *
 * @param spacing which timesteps are visited
 * @param stepsOffset added to the timesteps of {@link TimestepSpacing#LEADING}, at least 0
 * @param levels how the noise levels lie
 * @param eta η, from 0, no noise, to 1, as much as DDPM
 * @param end where a run ends
 * @param convention whom to follow where diffusers is not the papers
 */
public record DdimConfig(
    TimestepSpacing spacing,
    int stepsOffset,
    LevelSpacing levels,
    double eta,
    End end,
    Convention convention)
    implements SamplerConfig.Ending, SamplerConfig.SpacedLevels {

  /**
   * Checks what goes with what.
   *
   * @throws IllegalArgumentException if the offset does not go with the spacing
   */
  public DdimConfig {
    Objects.requireNonNull(end, "end");
    Objects.requireNonNull(convention, "convention");
    VisitedTimes.check(spacing, stepsOffset);
    VisitedTimes.checkRatios(SamplerType.DDIM, levels);
  }

  /**
   * As the paper has it: without noise.
   *
   * @return the configuration
   */
  public static DdimConfig usual() {
    return new DdimConfig(
        TimestepSpacing.LEADING, 0, LevelSpacing.TIMESTEPS, 0, End.CLEAN, Convention.PAPER);
  }

  @Override
  public SamplerType type() {
    return SamplerType.DDIM;
  }

  @Override
  public DdimConfig withSpacing(TimestepSpacing newSpacing, int newStepsOffset) {
    return new DdimConfig(newSpacing, newStepsOffset, levels, eta, end, convention);
  }

  @Override
  public DdimConfig withLevels(LevelSpacing newLevels) {
    return new DdimConfig(spacing, stepsOffset, newLevels, eta, end, convention);
  }

  @Override
  public DdimConfig withEta(double newEta) {
    return new DdimConfig(spacing, stepsOffset, levels, newEta, end, convention);
  }

  @Override
  public DdimConfig withEnd(End newEnd) {
    return new DdimConfig(spacing, stepsOffset, levels, eta, newEnd, convention);
  }

  @Override
  public DdimConfig withConvention(Convention newConvention) {
    return new DdimConfig(spacing, stepsOffset, levels, eta, end, newConvention);
  }

  /** diffusers' steps are all ⌊T/S⌋ timesteps long, wherever the next one begins. */
  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    NoiseLevels run =
        VisitedTimes.whole(spacing, stepsOffset)
            .levels(schedule, part, LevelRange.of(levels), convention, end);
    if (convention == Convention.PAPER || levels != LevelSpacing.TIMESTEPS) {
      return new DdimSampler(run, eta, x0Constraint);
    }
    return new DdimSampler(
        VisitedTimes.strides(schedule, part, run, end), eta, run.initialNoise(), x0Constraint);
  }
}
