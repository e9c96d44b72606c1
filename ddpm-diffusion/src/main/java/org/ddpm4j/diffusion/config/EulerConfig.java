package org.ddpm4j.diffusion.config;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.EulerAncestralSampler;
import org.ddpm4j.diffusion.sampling.EulerSampler;
import org.ddpm4j.diffusion.sampling.HeunSampler;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * {@link EulerSampler}, {@link EulerAncestralSampler} and {@link HeunSampler}.
 *
 * @param type which of them: {@link SamplerType#EULER}, {@link SamplerType#EULER_ANCESTRAL} or
 *     {@link SamplerType#HEUN}
 * @param spacing which timesteps are visited
 * @param stepsOffset added to the timesteps of {@link TimestepSpacing#LEADING}, at least 0
 * @param karras whether the noise levels are those of Karras et al. 2022
 * @param end where a run ends
 */
public record EulerConfig(
    SamplerType type, TimestepSpacing spacing, int stepsOffset, boolean karras, End end)
    implements SamplerConfig.Ending, SamplerConfig.KarrasLevels {

  private static final List<SamplerType> TYPES =
      List.of(SamplerType.EULER, SamplerType.EULER_ANCESTRAL, SamplerType.HEUN);

  /**
   * Checks what goes with what.
   *
   * @throws IllegalArgumentException if the offset does not go with the spacing or the type is
   *     another
   */
  public EulerConfig {
    if (!TYPES.contains(type)) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "The sampler %s is none of %s.", type, TYPES));
    }
    Objects.requireNonNull(end, "end");
    VisitedTimes.check(spacing, stepsOffset);
  }

  /**
   * A sampler with its own options.
   *
   * @param type which of them
   * @return the configuration
   * @throws IllegalArgumentException if it is none of them
   */
  public static EulerConfig of(SamplerType type) {
    return new EulerConfig(type, TimestepSpacing.LINSPACE, 0, false, End.CLEAN);
  }

  @Override
  public EulerConfig withSpacing(TimestepSpacing newSpacing, int newStepsOffset) {
    return new EulerConfig(type, newSpacing, newStepsOffset, karras, end);
  }

  @Override
  public EulerConfig withKarras(boolean newKarras) {
    return new EulerConfig(type, spacing, stepsOffset, newKarras, end);
  }

  @Override
  public EulerConfig withEnd(End newEnd) {
    return new EulerConfig(type, spacing, stepsOffset, karras, newEnd);
  }

  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    NoiseLevels levels = visited().levels(schedule, part, karras, Convention.PAPER, end);
    return switch (type) {
      case HEUN -> new HeunSampler(levels, x0Constraint);
      case EULER_ANCESTRAL -> new EulerAncestralSampler(levels, x0Constraint);
      default -> new EulerSampler(levels, x0Constraint);
    };
  }

  private VisitedTimes visited() {
    return new VisitedTimes(VisitedTimes.Times.FRACTIONAL, spacing, stepsOffset);
  }
}
