package org.ddpm4j.diffusion.config;

import java.util.List;
import java.util.Objects;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.DpmSinglestepSampler;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler.Equation;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler.Prediction;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler.SecondOrder;
import org.ddpm4j.diffusion.sampling.FinalOrder;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * {@link DpmSolverSampler} and {@link DpmSinglestepSampler}: DPM-Solver++ and DPM-Solver, of the
 * probability flow or of the diffusion.
 *
 * @param type a {@code DPM_SOLVER} or {@code DPM_SINGLESTEP}
 * @param spacing which timesteps are visited
 * @param stepsOffset added to the timesteps of {@link TimestepSpacing#LEADING}, at least 0
 * @param levels how the noise levels lie
 * @param order of the solver
 * @param secondOrder how steps of order 2 weigh the first derivative
 * @param finalOrder whether the last steps are of lower order
 * @param leastLambda the least λ at which a run may begin: noisier timesteps are left out,
 *     diffusers' {@code lambda_min_clipped}; minus infinity for none
 * @param end where a run ends
 * @param convention whom to follow where diffusers is not the papers
 */
public record DpmSolverConfig(
    SamplerType type,
    TimestepSpacing spacing,
    int stepsOffset,
    LevelSpacing levels,
    int order,
    SecondOrder secondOrder,
    FinalOrder finalOrder,
    double leastLambda,
    End end,
    Convention convention)
    implements SamplerConfig.Ending, SamplerConfig.SpacedLevels, SamplerConfig.Ordered {

  private static final List<SamplerType> TYPES =
      List.of(
          SamplerType.DPM_SOLVER,
          SamplerType.DPM_SOLVER_SDE,
          SamplerType.DPM_SOLVER_EPS,
          SamplerType.DPM_SOLVER_EPS_SDE,
          SamplerType.DPM_SINGLESTEP,
          SamplerType.DPM_SINGLESTEP_SDE,
          SamplerType.DPM_SINGLESTEP_EPS);

  /**
   * Checks what goes with what.
   *
   * @throws IllegalArgumentException if the offset does not go with the spacing, the type is
   *     another, a solver of ε is to end at clean images, or λ is not a number
   */
  public DpmSolverConfig {
    Objects.requireNonNull(type, "type");
    if (!TYPES.contains(type)) {
      throw new IllegalArgumentException(Text.format("The sampler %s is none of %s.", type, TYPES));
    }
    Objects.requireNonNull(secondOrder, "secondOrder");
    Objects.requireNonNull(finalOrder, "finalOrder");
    Objects.requireNonNull(end, "end");
    Objects.requireNonNull(convention, "convention");
    VisitedTimes.check(spacing, stepsOffset);
    VisitedTimes.checkRatios(type, levels);
    if (end == End.CLEAN && prediction(type) == Prediction.EPS) {
      throw new IllegalArgumentException(
          Text.format(
              "The sampler %s integrates ε, whose integral does not reach clean images; let it end at %s, or choose dpm++.",
              type, End.FIRST_TIMESTEP));
    }
    VisitedTimes.checkLambda(leastLambda);
  }

  /**
   * A sampler with its own options. Those of ε end at the noise of timestep 0.
   *
   * @param type which of them
   * @return the configuration
   * @throws IllegalArgumentException if it is none of them
   */
  public static DpmSolverConfig of(SamplerType type) {
    Objects.requireNonNull(type, "type");
    return new DpmSolverConfig(
        type,
        TimestepSpacing.LINSPACE,
        0,
        LevelSpacing.TIMESTEPS,
        DpmSolverSampler.DEFAULT_ORDER,
        SecondOrder.MIDPOINT,
        isSinglestep(type) ? FinalOrder.LOWERED : FinalOrder.LOWERED_IN_SHORT_RUNS,
        Double.NEGATIVE_INFINITY,
        prediction(type) == Prediction.EPS ? End.FIRST_TIMESTEP : End.CLEAN,
        Convention.PAPER);
  }

  private static Prediction prediction(SamplerType type) {
    return switch (type) {
      case DPM_SOLVER_EPS, DPM_SOLVER_EPS_SDE, DPM_SINGLESTEP_EPS -> Prediction.EPS;
      default -> Prediction.X0;
    };
  }

  private static Equation equation(SamplerType type) {
    return switch (type) {
      case DPM_SOLVER_SDE, DPM_SOLVER_EPS_SDE, DPM_SINGLESTEP_SDE -> Equation.SDE;
      default -> Equation.ODE;
    };
  }

  private static boolean isSinglestep(SamplerType type) {
    return switch (type) {
      case DPM_SINGLESTEP, DPM_SINGLESTEP_SDE, DPM_SINGLESTEP_EPS -> true;
      default -> false;
    };
  }

  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    NoiseLevels run =
        VisitedTimes.aboveZero(spacing, stepsOffset)
            .from(leastLambda)
            .levels(schedule, part, LevelRange.of(levels), convention, end);
    if (isSinglestep(type)) {
      return new DpmSinglestepSampler(
          run,
          DpmSinglestepSampler.orders(run, order, finalOrder),
          equation(type),
          prediction(type),
          secondOrder,
          convention,
          x0Constraint);
    }
    return new DpmSolverSampler(
        run,
        order,
        equation(type),
        prediction(type),
        secondOrder,
        finalOrder,
        convention,
        x0Constraint);
  }

  @Override
  public DpmSolverConfig withSpacing(TimestepSpacing newSpacing, int newStepsOffset) {
    return new DpmSolverConfig(
        type,
        newSpacing,
        newStepsOffset,
        levels,
        order,
        secondOrder,
        finalOrder,
        leastLambda,
        end,
        convention);
  }

  @Override
  public DpmSolverConfig withLevels(LevelSpacing newLevels) {
    return new DpmSolverConfig(
        type,
        spacing,
        stepsOffset,
        newLevels,
        order,
        secondOrder,
        finalOrder,
        leastLambda,
        end,
        convention);
  }

  @Override
  public DpmSolverConfig withOrder(int newOrder) {
    return new DpmSolverConfig(
        type,
        spacing,
        stepsOffset,
        levels,
        newOrder,
        secondOrder,
        finalOrder,
        leastLambda,
        end,
        convention);
  }

  /**
   * The same with another choice.
   *
   * @param newSecondOrder how steps of order 2 weigh the first derivative
   * @return the configuration
   */
  public DpmSolverConfig withSecondOrder(SecondOrder newSecondOrder) {
    return new DpmSolverConfig(
        type,
        spacing,
        stepsOffset,
        levels,
        order,
        newSecondOrder,
        finalOrder,
        leastLambda,
        end,
        convention);
  }

  /**
   * The same with another choice.
   *
   * @param newFinalOrder whether the last steps are of lower order
   * @return the configuration
   */
  public DpmSolverConfig withFinalOrder(FinalOrder newFinalOrder) {
    return new DpmSolverConfig(
        type,
        spacing,
        stepsOffset,
        levels,
        order,
        secondOrder,
        newFinalOrder,
        leastLambda,
        end,
        convention);
  }

  /**
   * The same with another choice.
   *
   * @param newLeastLambda the least λ at which a run may begin: noisier timesteps are left out,
   *     diffusers' {@code lambda_min_clipped}; minus infinity for none
   * @return the configuration
   */
  public DpmSolverConfig withLeastLambda(double newLeastLambda) {
    return new DpmSolverConfig(
        type,
        spacing,
        stepsOffset,
        levels,
        order,
        secondOrder,
        finalOrder,
        newLeastLambda,
        end,
        convention);
  }

  @Override
  public DpmSolverConfig withEnd(End newEnd) {
    return new DpmSolverConfig(
        type,
        spacing,
        stepsOffset,
        levels,
        order,
        secondOrder,
        finalOrder,
        leastLambda,
        newEnd,
        convention);
  }

  @Override
  public DpmSolverConfig withConvention(Convention newConvention) {
    return new DpmSolverConfig(
        type,
        spacing,
        stepsOffset,
        levels,
        order,
        secondOrder,
        finalOrder,
        leastLambda,
        end,
        newConvention);
  }
}
