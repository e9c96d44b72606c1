package org.ddpm4j.diffusion.config;

import java.util.List;
import java.util.Objects;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.EulerAncestralSampler;
import org.ddpm4j.diffusion.sampling.EulerSampler;
import org.ddpm4j.diffusion.sampling.HeunSampler;
import org.ddpm4j.diffusion.sampling.KarrasVeSampler;
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
 * @param churn S_churn of {@link KarrasVeSampler} (Karras et al. 2022, algorithm 2), at least 0,
 *     which is none; of Heun's method alone
 */
public record EulerConfig(
    SamplerType type,
    TimestepSpacing spacing,
    int stepsOffset,
    LevelRange range,
    Asked asked,
    End end,
    double churn)
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
   *     another, only Euler's takes the levels, or there is churn elsewhere than in runs of Heun's
   *     method that end at clean images
   */
  public EulerConfig {
    Objects.requireNonNull(type, "type");
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
    if (!(churn >= 0 && Double.isFinite(churn))) {
      throw new IllegalArgumentException(
          Text.format("The churn is %s; it must be finite and at least 0, which is none.", churn));
    }
    if (churn > 0 && type != SamplerType.HEUN) {
      throw noChurn(type);
    }
    if (churn > 0 && end != End.CLEAN) {
      throw new IllegalArgumentException(
          "Churn is of runs that end at clean images, and this one leaves some noise; choose that end.");
    }
  }

  static IllegalArgumentException noChurn(SamplerType type) {
    return new IllegalArgumentException(
        Text.format("The sampler %s does not take churn; %s does.", type, SamplerType.HEUN));
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
        End.CLEAN,
        0);
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
      case HEUN ->
          churn == 0
              ? new HeunSampler(run, x0Constraint)
              : churned(run, schedule, part.steps(), x0Constraint);
      case EULER_ANCESTRAL -> new EulerAncestralSampler(run, x0Constraint);
      default -> new EulerSampler(run, x0Constraint);
    };
  }

  private PathSampler churned(
      NoiseLevels run, NoiseSchedule schedule, int steps, X0Constraint x0Constraint) {
    List<Double> ratios =
        run.levels().subList(0, run.steps()).stream().map(NoiseLevel::rho).toList();
    if (ratios.get(0).isInfinite()) {
      throw new IllegalArgumentException(
          "Churn adds a share of the noise that there is, and at the first level of this run nothing else is left; leave churn out, or choose a schedule that keeps a little signal.");
    }
    return new KarrasVeSampler(
        ratios,
        ratio -> NoiseLevel.ofRho(schedule, ratio),
        new KarrasVeSampler.Churn(churn / steps, 0, Double.POSITIVE_INFINITY, 1),
        // x is noise at first, and z is x/α.
        new KarrasVeSampler.Start(1 / run.first().alpha(), 0),
        x0Constraint);
  }

  @Override
  public EulerConfig withSpacing(TimestepSpacing newSpacing, int newStepsOffset) {
    return new EulerConfig(type, newSpacing, newStepsOffset, range, asked, end, churn);
  }

  /**
   * The same with another choice.
   *
   * @param newRange how the noise levels lie, and between which
   * @return the configuration
   */
  public EulerConfig withRange(LevelRange newRange) {
    return new EulerConfig(type, spacing, stepsOffset, newRange, asked, end, churn);
  }

  /**
   * The same with another choice.
   *
   * @param newAsked what the network is asked with
   * @return the configuration
   */
  public EulerConfig withAsked(Asked newAsked) {
    return new EulerConfig(type, spacing, stepsOffset, range, newAsked, end, churn);
  }

  @Override
  public EulerConfig withEnd(End newEnd) {
    return new EulerConfig(type, spacing, stepsOffset, range, asked, newEnd, churn);
  }

  @Override
  public EulerConfig withChurn(double newChurn) {
    return new EulerConfig(type, spacing, stepsOffset, range, asked, end, newChurn);
  }
}
