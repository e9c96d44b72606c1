package org.ddpm4j.diffusion.config;

import java.util.List;
import java.util.Objects;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.Dpm2Sampler;
import org.ddpm4j.diffusion.sampling.Dpm2Sampler.Noise;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * {@link Dpm2Sampler}.
 *
 * @param type {@link SamplerType#DPM2} or {@link SamplerType#DPM2_ANCESTRAL}
 * @param spacing which timesteps are visited
 * @param stepsOffset added to the timesteps of {@link TimestepSpacing#LEADING}, at least 0
 * @param levels how the noise levels lie
 * @param end where a run ends
 * @param convention whom to follow where diffusers is not the papers
 */
public record Dpm2Config(
    SamplerType type,
    TimestepSpacing spacing,
    int stepsOffset,
    LevelSpacing levels,
    End end,
    Convention convention)
    implements SamplerConfig.Ending, SamplerConfig.SpacedLevels {

  private static final List<SamplerType> TYPES =
      List.of(SamplerType.DPM2, SamplerType.DPM2_ANCESTRAL);

  /**
   * Checks what goes with what.
   *
   * @throws IllegalArgumentException if the offset does not go with the spacing or the type is
   *     another
   */
  public Dpm2Config {
    Objects.requireNonNull(type, "type");
    if (!TYPES.contains(type)) {
      throw new IllegalArgumentException(Text.format("The sampler %s is none of %s.", type, TYPES));
    }
    Objects.requireNonNull(end, "end");
    Objects.requireNonNull(convention, "convention");
    VisitedTimes.check(spacing, stepsOffset);
    VisitedTimes.checkRatios(type, levels);
  }

  /**
   * A sampler with its own options.
   *
   * @param type which of them
   * @return the configuration
   * @throws IllegalArgumentException if it is none of them
   */
  public static Dpm2Config of(SamplerType type) {
    return new Dpm2Config(
        type, TimestepSpacing.LINSPACE, 0, LevelSpacing.TIMESTEPS, End.CLEAN, Convention.PAPER);
  }

  @Override
  public Dpm2Config withSpacing(TimestepSpacing newSpacing, int newStepsOffset) {
    return new Dpm2Config(type, newSpacing, newStepsOffset, levels, end, convention);
  }

  /** The first and the last of the visited timesteps are where other levels begin and end. */
  @Override
  public boolean usesSpacing() {
    return true;
  }

  @Override
  public Dpm2Config withLevels(LevelSpacing newLevels) {
    return new Dpm2Config(type, spacing, stepsOffset, newLevels, end, convention);
  }

  @Override
  public Dpm2Config withEnd(End newEnd) {
    return new Dpm2Config(type, spacing, stepsOffset, levels, newEnd, convention);
  }

  @Override
  public Dpm2Config withConvention(Convention newConvention) {
    return new Dpm2Config(type, spacing, stepsOffset, levels, end, newConvention);
  }

  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    NoiseLevels run =
        VisitedTimes.fractional(spacing, stepsOffset)
            .levels(schedule, part, LevelRange.of(levels), convention, end);
    if (levels == LevelSpacing.KARRAS && convention == Convention.DIFFUSERS) {
      run = run.atWholeTimesteps();
    }
    return Dpm2Sampler.of(
        schedule, run, type == SamplerType.DPM2 ? Noise.NONE : Noise.ANCESTRAL, x0Constraint);
  }
}
