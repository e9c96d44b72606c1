package org.ddpm4j.diffusion.config;

import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.DeisSampler;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler.Equation;
import org.ddpm4j.diffusion.sampling.FinalOrder;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.UniPcSampler;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * Multistep solvers of the exponential integrator: {@link DpmSolverSampler}, {@link UniPcSampler}
 * and {@link DeisSampler}.
 *
 * @param type which of them: {@link SamplerType#DPM_SOLVER}, {@link SamplerType#DPM_SOLVER_SDE},
 *     {@link SamplerType#UNIPC} or {@link SamplerType#DEIS}
 * @param spacing which timesteps are visited
 * @param stepsOffset added to the timesteps of {@link TimestepSpacing#LEADING}, at least 0
 * @param karras whether the noise levels are those of Karras et al. 2022
 * @param order of the solver
 * @param end where a run ends
 * @param convention whom to follow where diffusers is not the papers
 */
public record ExponentialConfig(
    SamplerType type,
    TimestepSpacing spacing,
    int stepsOffset,
    boolean karras,
    int order,
    End end,
    Convention convention)
    implements SamplerConfig.Ending, SamplerConfig.KarrasLevels, SamplerConfig.Ordered {

  private static final List<SamplerType> TYPES =
      List.of(
          SamplerType.DPM_SOLVER, SamplerType.DPM_SOLVER_SDE, SamplerType.UNIPC, SamplerType.DEIS);

  /**
   * Checks what goes with what.
   *
   * @throws IllegalArgumentException if the offset does not go with the spacing or the type is
   *     another
   */
  public ExponentialConfig {
    if (!TYPES.contains(type)) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "The sampler %s is none of %s.", type, TYPES));
    }
    Objects.requireNonNull(end, "end");
    Objects.requireNonNull(convention, "convention");
    VisitedTimes.check(spacing, stepsOffset);
  }

  /**
   * A sampler with its own options. DEIS' paper ends where a little noise is left, since its
   * polynomials in log ρ reach no end.
   *
   * @param type which of them
   * @return the configuration
   * @throws IllegalArgumentException if it is none of them
   */
  public static ExponentialConfig of(SamplerType type) {
    int order =
        switch (type) {
          case UNIPC -> UniPcSampler.DEFAULT_ORDER;
          case DEIS -> DeisSampler.DEFAULT_ORDER;
          default -> DpmSolverSampler.DEFAULT_ORDER;
        };
    End end = type == SamplerType.DEIS ? End.FIRST_TIMESTEP : End.CLEAN;
    return new ExponentialConfig(
        type, TimestepSpacing.LINSPACE, 0, false, order, end, Convention.PAPER);
  }

  @Override
  public ExponentialConfig withSpacing(TimestepSpacing newSpacing, int newStepsOffset) {
    return new ExponentialConfig(type, newSpacing, newStepsOffset, karras, order, end, convention);
  }

  @Override
  public ExponentialConfig withKarras(boolean newKarras) {
    return new ExponentialConfig(type, spacing, stepsOffset, newKarras, order, end, convention);
  }

  @Override
  public ExponentialConfig withOrder(int newOrder) {
    return new ExponentialConfig(type, spacing, stepsOffset, karras, newOrder, end, convention);
  }

  @Override
  public ExponentialConfig withEnd(End newEnd) {
    return new ExponentialConfig(type, spacing, stepsOffset, karras, order, newEnd, convention);
  }

  @Override
  public ExponentialConfig withConvention(Convention newConvention) {
    return new ExponentialConfig(type, spacing, stepsOffset, karras, order, end, newConvention);
  }

  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    NoiseLevels levels = visited().levels(schedule, part, karras, convention, end);
    return switch (type) {
      case UNIPC -> new UniPcSampler(levels, order, x0Constraint);
      case DEIS -> new DeisSampler(levels, order, x0Constraint);
      default ->
          new DpmSolverSampler(
              levels,
              order,
              type == SamplerType.DPM_SOLVER_SDE ? Equation.SDE : Equation.ODE,
              FinalOrder.LOWERED_IN_SHORT_RUNS,
              convention,
              x0Constraint);
    };
  }

  private VisitedTimes visited() {
    return new VisitedTimes(VisitedTimes.Times.ABOVE_ZERO, spacing, stepsOffset);
  }
}
