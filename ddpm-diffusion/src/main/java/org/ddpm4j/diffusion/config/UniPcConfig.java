package org.ddpm4j.diffusion.config;

import java.util.Objects;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.FinalOrder;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.UniPcSampler;
import org.ddpm4j.diffusion.sampling.UniPcSampler.Scale;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * {@link UniPcSampler}.
 *
 * @param spacing which timesteps are visited
 * @param stepsOffset added to the timesteps of {@link TimestepSpacing#LEADING}, at least 0
 * @param range how the noise levels lie, and between which
 * @param order of the solver
 * @param scale B(h)
 * @param finalOrder whether the last steps are of lower order
 * @param end where a run ends
 * @param convention whom to follow where diffusers is not the papers
 */
public record UniPcConfig(
    TimestepSpacing spacing,
    int stepsOffset,
    LevelRange range,
    int order,
    Scale scale,
    FinalOrder finalOrder,
    End end,
    Convention convention)
    implements SamplerConfig.Ending, SamplerConfig.SpacedLevels, SamplerConfig.Ordered {

  /**
   * Checks what goes with what.
   *
   * @throws IllegalArgumentException if the offset does not go with the spacing
   */
  public UniPcConfig {
    Objects.requireNonNull(range, "range");
    Objects.requireNonNull(scale, "scale");
    Objects.requireNonNull(finalOrder, "finalOrder");
    Objects.requireNonNull(end, "end");
    Objects.requireNonNull(convention, "convention");
    VisitedTimes.check(spacing, stepsOffset);
    VisitedTimes.checkRatios(SamplerType.UNIPC, range.spacing());
  }

  /**
   * With its own options.
   *
   * @return the configuration
   */
  public static UniPcConfig usual() {
    return new UniPcConfig(
        TimestepSpacing.LINSPACE,
        0,
        LevelRange.of(LevelSpacing.TIMESTEPS),
        UniPcSampler.DEFAULT_ORDER,
        Scale.BH2,
        FinalOrder.LOWERED,
        End.CLEAN,
        Convention.PAPER);
  }

  @Override
  public SamplerType type() {
    return SamplerType.UNIPC;
  }

  @Override
  public LevelSpacing levels() {
    return range.spacing();
  }

  @Override
  public UniPcConfig withLevels(LevelSpacing newLevels) {
    return withRange(range.withSpacing(newLevels));
  }

  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    NoiseLevels run =
        VisitedTimes.aboveZero(spacing, stepsOffset).levels(schedule, part, range, convention, end);
    return new UniPcSampler(run, order, scale, finalOrder, x0Constraint);
  }

  @Override
  public UniPcConfig withSpacing(TimestepSpacing newSpacing, int newStepsOffset) {
    return new UniPcConfig(
        newSpacing, newStepsOffset, range, order, scale, finalOrder, end, convention);
  }

  /**
   * The same with another choice.
   *
   * @param newRange how the noise levels lie, and between which
   * @return the configuration
   */
  public UniPcConfig withRange(LevelRange newRange) {
    return new UniPcConfig(
        spacing, stepsOffset, newRange, order, scale, finalOrder, end, convention);
  }

  @Override
  public UniPcConfig withOrder(int newOrder) {
    return new UniPcConfig(
        spacing, stepsOffset, range, newOrder, scale, finalOrder, end, convention);
  }

  /**
   * The same with another choice.
   *
   * @param newScale B(h)
   * @return the configuration
   */
  public UniPcConfig withScale(Scale newScale) {
    return new UniPcConfig(
        spacing, stepsOffset, range, order, newScale, finalOrder, end, convention);
  }

  /**
   * The same with another choice.
   *
   * @param newFinalOrder whether the last steps are of lower order
   * @return the configuration
   */
  public UniPcConfig withFinalOrder(FinalOrder newFinalOrder) {
    return new UniPcConfig(
        spacing, stepsOffset, range, order, scale, newFinalOrder, end, convention);
  }

  @Override
  public UniPcConfig withEnd(End newEnd) {
    return new UniPcConfig(
        spacing, stepsOffset, range, order, scale, finalOrder, newEnd, convention);
  }

  @Override
  public UniPcConfig withConvention(Convention newConvention) {
    return new UniPcConfig(
        spacing, stepsOffset, range, order, scale, finalOrder, end, newConvention);
  }
}
