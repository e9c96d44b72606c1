package org.ddpm4j.diffusion.config;

import java.util.Objects;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.DeisSampler;
import org.ddpm4j.diffusion.sampling.FinalOrder;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * {@link DeisSampler}.
 *
 * @param spacing which timesteps are visited
 * @param stepsOffset added to the timesteps of {@link TimestepSpacing#LEADING}, at least 0
 * @param levels how the noise levels lie
 * @param order of the solver
 * @param finalOrder whether the last steps are of lower order
 * @param end where a run ends
 * @param convention whom to follow where diffusers is not the papers
 */
public record DeisConfig(
    TimestepSpacing spacing,
    int stepsOffset,
    LevelSpacing levels,
    int order,
    FinalOrder finalOrder,
    End end,
    Convention convention)
    implements SamplerConfig.Ending, SamplerConfig.SpacedLevels, SamplerConfig.Ordered {

  /**
   * Checks what goes with what.
   *
   * @throws IllegalArgumentException if the offset does not go with the spacing
   */
  public DeisConfig {
    Objects.requireNonNull(finalOrder, "finalOrder");
    Objects.requireNonNull(end, "end");
    Objects.requireNonNull(convention, "convention");
    VisitedTimes.check(spacing, stepsOffset);
    VisitedTimes.checkRatios(SamplerType.DEIS, levels);
  }

  /**
   * With its own options. The paper ends where a little noise is left, since its polynomials in log
   * ρ reach no end.
   *
   * @return the configuration
   */
  public static DeisConfig usual() {
    return new DeisConfig(
        TimestepSpacing.LINSPACE,
        0,
        LevelSpacing.TIMESTEPS,
        DeisSampler.DEFAULT_ORDER,
        FinalOrder.LOWERED_IN_SHORT_RUNS,
        End.FIRST_TIMESTEP,
        Convention.PAPER);
  }

  @Override
  public SamplerType type() {
    return SamplerType.DEIS;
  }

  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    NoiseLevels run =
        VisitedTimes.aboveZero(spacing, stepsOffset)
            .levels(schedule, part, LevelRange.of(levels), convention, end);
    return new DeisSampler(run, order, finalOrder, x0Constraint);
  }

  @Override
  public DeisConfig withSpacing(TimestepSpacing newSpacing, int newStepsOffset) {
    return new DeisConfig(newSpacing, newStepsOffset, levels, order, finalOrder, end, convention);
  }

  @Override
  public DeisConfig withLevels(LevelSpacing newLevels) {
    return new DeisConfig(spacing, stepsOffset, newLevels, order, finalOrder, end, convention);
  }

  @Override
  public DeisConfig withOrder(int newOrder) {
    return new DeisConfig(spacing, stepsOffset, levels, newOrder, finalOrder, end, convention);
  }

  /**
   * The same with another choice.
   *
   * @param newFinalOrder whether the last steps are of lower order
   * @return the configuration
   */
  public DeisConfig withFinalOrder(FinalOrder newFinalOrder) {
    return new DeisConfig(spacing, stepsOffset, levels, order, newFinalOrder, end, convention);
  }

  @Override
  public DeisConfig withEnd(End newEnd) {
    return new DeisConfig(spacing, stepsOffset, levels, order, finalOrder, newEnd, convention);
  }

  @Override
  public DeisConfig withConvention(Convention newConvention) {
    return new DeisConfig(spacing, stepsOffset, levels, order, finalOrder, end, newConvention);
  }
}
