package org.ddpm4j.diffusion.config;

import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.AncestralSampler;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.RespacedSchedule;

/**
 * {@link AncestralSampler}: DDPM, over fewer timesteps if wanted.
 *
 * @param spacing which timesteps are visited
 * @param stepsOffset added to the timesteps of {@link TimestepSpacing#LEADING}, at least 0
 * @param variance σ² of a step
 * @param convention whether timesteps of {@link TimestepSpacing#LINSPACE} that lie halfway are
 *     rounded as such, or as diffusers' floating-point error decides
 */
public record AncestralConfig(
    TimestepSpacing spacing, int stepsOffset, ReverseVariance variance, Convention convention)
    implements SamplerConfig {

  /**
   * Checks what goes with what.
   *
   * @throws IllegalArgumentException if the offset does not go with the spacing
   */
  public AncestralConfig {
    Objects.requireNonNull(variance, "variance");
    Objects.requireNonNull(convention, "convention");
    VisitedTimes.check(spacing, stepsOffset);
  }

  /**
   * As the paper has it: both ends of the chain, and the posterior's variance.
   *
   * @return the configuration
   */
  public static AncestralConfig usual() {
    return new AncestralConfig(
        TimestepSpacing.LINSPACE, 0, ReverseVariance.POSTERIOR, Convention.PAPER);
  }

  @Override
  public SamplerType type() {
    return SamplerType.DDPM;
  }

  @Override
  public AncestralConfig withSpacing(TimestepSpacing newSpacing, int newStepsOffset) {
    return new AncestralConfig(newSpacing, newStepsOffset, variance, convention);
  }

  @Override
  public AncestralConfig withVariance(ReverseVariance newVariance) {
    return new AncestralConfig(spacing, stepsOffset, newVariance, convention);
  }

  @Override
  public AncestralConfig withConvention(Convention newConvention) {
    return new AncestralConfig(spacing, stepsOffset, variance, newConvention);
  }

  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    boolean isExact = spacing == TimestepSpacing.LINSPACE && convention == Convention.PAPER;
    RespacedSchedule times =
        isExact
            ? schedule.respace(part.steps())
            : schedule.respace(
                VisitedTimes.whole(spacing, stepsOffset).ascending(schedule, part.steps()));
    if (part.last() < part.steps()) {
      times = schedule.respace(Arrays.copyOf(times.timesteps(), part.last()));
    }
    return new AncestralSampler(times, variance, x0Constraint);
  }
}
