package org.ddpm4j.diffusion.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.DdimSampler;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.NoiseStep;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * {@link DdimSampler}.
 *
 * @param spacing which timesteps are visited
 * @param stepsOffset added to the timesteps of {@link TimestepSpacing#LEADING}, at least 0
 * @param karras whether the noise levels are those of Karras et al. 2022
 * @param eta η, from 0, no noise, to 1, as much as DDPM
 * @param end where a run ends
 * @param convention whom to follow where diffusers is not the papers
 */
public record DdimConfig(
    TimestepSpacing spacing,
    int stepsOffset,
    boolean karras,
    double eta,
    End end,
    Convention convention)
    implements SamplerConfig.Ending, SamplerConfig.KarrasLevels {

  /**
   * Checks what goes with what.
   *
   * @throws IllegalArgumentException if the offset does not go with the spacing
   */
  public DdimConfig {
    Objects.requireNonNull(end, "end");
    Objects.requireNonNull(convention, "convention");
    VisitedTimes.check(spacing, stepsOffset);
  }

  /**
   * As the paper has it: without noise.
   *
   * @return the configuration
   */
  public static DdimConfig usual() {
    return new DdimConfig(TimestepSpacing.LEADING, 0, false, 0, End.CLEAN, Convention.PAPER);
  }

  @Override
  public SamplerType type() {
    return SamplerType.DDIM;
  }

  @Override
  public DdimConfig withSpacing(TimestepSpacing newSpacing, int newStepsOffset) {
    return new DdimConfig(newSpacing, newStepsOffset, karras, eta, end, convention);
  }

  @Override
  public DdimConfig withKarras(boolean newKarras) {
    return new DdimConfig(spacing, stepsOffset, newKarras, eta, end, convention);
  }

  @Override
  public DdimConfig withEta(double newEta) {
    return new DdimConfig(spacing, stepsOffset, karras, newEta, end, convention);
  }

  @Override
  public DdimConfig withEnd(End newEnd) {
    return new DdimConfig(spacing, stepsOffset, karras, eta, newEnd, convention);
  }

  @Override
  public DdimConfig withConvention(Convention newConvention) {
    return new DdimConfig(spacing, stepsOffset, karras, eta, end, newConvention);
  }

  /** diffusers' steps are all ⌊T/S⌋ timesteps long, wherever the next one begins. */
  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    NoiseLevels levels = visited().levels(schedule, part, karras, convention, end);
    if (convention == Convention.PAPER || karras) {
      return new DdimSampler(levels, eta, x0Constraint);
    }
    int stride = schedule.timesteps() / part.steps();
    List<NoiseStep> path = new ArrayList<>();
    for (NoiseStep step : levels.path()) {
      int target = (int) step.from().t() - stride;
      path.add(
          new NoiseStep(
              step.from(),
              target < 0 ? VisitedTimes.level(end, schedule) : NoiseLevel.of(schedule, target)));
    }
    return new DdimSampler(path, eta, levels.initialNoise(), x0Constraint);
  }

  private VisitedTimes visited() {
    return new VisitedTimes(VisitedTimes.Times.WHOLE, spacing, stepsOffset);
  }
}
