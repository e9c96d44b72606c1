package org.ddpm4j.diffusion.config;

import java.util.List;
import java.util.Objects;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.EulerAncestralSampler;
import org.ddpm4j.diffusion.sampling.EulerSampler;
import org.ddpm4j.diffusion.sampling.HeunSampler;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * {@link EulerSampler}, {@link EulerAncestralSampler} and {@link HeunSampler}.
 *
 * @param type {@link SamplerType#EULER}, {@link SamplerType#EULER_ANCESTRAL} or {@link
 *     SamplerType#HEUN}
 * @param spacing which timesteps are visited
 * @param stepsOffset added to the timesteps of {@link TimestepSpacing#LEADING}, at least 0
 * @param range how the noise levels lie, and between which
 * @param asked what the network is asked with
 * @param end where a run ends
 */
public record EulerConfig(
    SamplerType type,
    TimestepSpacing spacing,
    int stepsOffset,
    LevelRange range,
    Asked asked,
    End end)
    implements SamplerConfig.Ending, SamplerConfig.SpacedLevels {

  private static final List<SamplerType> TYPES =
      List.of(SamplerType.EULER, SamplerType.EULER_ANCESTRAL, SamplerType.HEUN);

  /** What the network is asked with. */
  public enum Asked {
    /** Timesteps, or times between them. */
    TIMES,
    /** {@code log(ρ)/4} (Karras et al. 2022, table 1): a {@code timestep_type} of continuous. */
    LOG_RATIOS
  }

  /**
   * Checks what goes with what.
   *
   * @throws IllegalArgumentException if the offset does not go with the spacing, the type is
   *     another, or only Euler's takes the levels
   */
  public EulerConfig {
    if (!TYPES.contains(type)) {
      throw new IllegalArgumentException(Text.format("The sampler %s is none of %s.", type, TYPES));
    }
    Objects.requireNonNull(range, "range");
    Objects.requireNonNull(asked, "asked");
    Objects.requireNonNull(end, "end");
    VisitedTimes.check(spacing, stepsOffset);
    if (type != SamplerType.EULER) {
      VisitedTimes.checkRatios(type, range.spacing());
    }
  }

  /**
   * A sampler with its own options.
   *
   * @param type which of them
   * @return the configuration
   * @throws IllegalArgumentException if it is none of them
   */
  public static EulerConfig of(SamplerType type) {
    return new EulerConfig(
        type,
        TimestepSpacing.LINSPACE,
        0,
        LevelRange.of(LevelSpacing.TIMESTEPS),
        Asked.TIMES,
        End.CLEAN);
  }

  @Override
  public LevelSpacing levels() {
    return range.spacing();
  }

  /** The first and the last of the visited timesteps are where other levels begin and end. */
  @Override
  public boolean usesSpacing() {
    return true;
  }

  @Override
  public EulerConfig withLevels(LevelSpacing newLevels) {
    return withRange(range.withSpacing(newLevels));
  }

  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    NoiseLevels run =
        VisitedTimes.fractional(spacing, stepsOffset)
            .levels(schedule, part, range, Convention.PAPER, end);
    if (asked == Asked.LOG_RATIOS) {
      run = run.atLogRatios();
    }
    return switch (type) {
      case HEUN -> new HeunSampler(run, x0Constraint);
      case EULER_ANCESTRAL -> new EulerAncestralSampler(run, x0Constraint);
      default -> new EulerSampler(run, x0Constraint);
    };
  }

  @Override
  public EulerConfig withSpacing(TimestepSpacing newSpacing, int newStepsOffset) {
    return new EulerConfig(type, newSpacing, newStepsOffset, range, asked, end);
  }

  /**
   * The same with another choice.
   *
   * @param newRange how the noise levels lie, and between which
   * @return the configuration
   */
  public EulerConfig withRange(LevelRange newRange) {
    return new EulerConfig(type, spacing, stepsOffset, newRange, asked, end);
  }

  /**
   * The same with another choice.
   *
   * @param newAsked what the network is asked with
   * @return the configuration
   */
  public EulerConfig withAsked(Asked newAsked) {
    return new EulerConfig(type, spacing, stepsOffset, range, newAsked, end);
  }

  @Override
  public EulerConfig withEnd(End newEnd) {
    return new EulerConfig(type, spacing, stepsOffset, range, asked, newEnd);
  }
}
