package org.ddpm4j.diffusion.config;

import java.util.Objects;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerConfig.Part;
import org.ddpm4j.diffusion.sampling.Convention;
import org.ddpm4j.diffusion.sampling.FinalOrder;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.SaSolverSampler;
import org.ddpm4j.diffusion.sampling.SaSolverSampler.Stochasticity;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * {@link SaSolverSampler} with τ of 1 in the middle of the chain and 0 at both its ends.
 *
 * @param spacing which timesteps are visited
 * @param stepsOffset added to the timesteps of {@link TimestepSpacing#LEADING}, at least 0
 * @param levels how the noise levels lie
 * @param order of the predictor
 * @param correctorOrder of the corrector
 * @param finalOrder whether the last steps are of lower order
 * @param leastLambda the least λ at which a run may begin; minus infinity for any
 * @param end where a run ends
 * @param convention {@link Convention#PAPER} for noise at the timesteps from T/5 to 4T/5; with
 *     {@link Convention#DIFFUSERS} from 200 to 800 whatever T
 */
public record SaSolverConfig(
    TimestepSpacing spacing,
    int stepsOffset,
    LevelSpacing levels,
    int order,
    int correctorOrder,
    FinalOrder finalOrder,
    double leastLambda,
    End end,
    Convention convention)
    implements SamplerConfig.Ending, SamplerConfig.SpacedLevels, SamplerConfig.Ordered {

  /** Of the length of the chain that diffusers has in mind. */
  private static final int USUAL_TIMESTEPS = 1000;

  private static final double FIRST = 0.2;
  private static final double LAST = 0.8;

  /**
   * Checks what goes with what.
   *
   * @throws IllegalArgumentException if the offset does not go with the spacing
   */
  public SaSolverConfig {
    Objects.requireNonNull(finalOrder, "finalOrder");
    Objects.requireNonNull(end, "end");
    Objects.requireNonNull(convention, "convention");
    VisitedTimes.check(spacing, stepsOffset);
    VisitedTimes.checkRatios(SamplerType.SA_SOLVER, levels);
    VisitedTimes.checkLambda(leastLambda);
  }

  /**
   * With its own options. It ends at the noise of timestep 0, as diffusers' does.
   *
   * @return the configuration
   */
  public static SaSolverConfig usual() {
    return new SaSolverConfig(
        TimestepSpacing.LINSPACE,
        0,
        LevelSpacing.TIMESTEPS,
        SaSolverSampler.DEFAULT_ORDER,
        SaSolverSampler.DEFAULT_ORDER,
        FinalOrder.LOWERED,
        Double.NEGATIVE_INFINITY,
        End.FIRST_TIMESTEP,
        Convention.PAPER);
  }

  @Override
  public SamplerType type() {
    return SamplerType.SA_SOLVER;
  }

  @Override
  public SaSolverConfig withSpacing(TimestepSpacing newSpacing, int newStepsOffset) {
    return new SaSolverConfig(
        newSpacing,
        newStepsOffset,
        levels,
        order,
        correctorOrder,
        finalOrder,
        leastLambda,
        end,
        convention);
  }

  @Override
  public SaSolverConfig withLevels(LevelSpacing newLevels) {
    return new SaSolverConfig(
        spacing,
        stepsOffset,
        newLevels,
        order,
        correctorOrder,
        finalOrder,
        leastLambda,
        end,
        convention);
  }

  @Override
  public SaSolverConfig withOrder(int newOrder) {
    return withOrders(newOrder, correctorOrder);
  }

  /**
   * The same with other orders.
   *
   * @param newOrder of the predictor
   * @param newCorrectorOrder of the corrector
   * @return the configuration
   */
  public SaSolverConfig withOrders(int newOrder, int newCorrectorOrder) {
    return new SaSolverConfig(
        spacing,
        stepsOffset,
        levels,
        newOrder,
        newCorrectorOrder,
        finalOrder,
        leastLambda,
        end,
        convention);
  }

  /**
   * The same with another order at the end.
   *
   * @param newFinalOrder whether the last steps are of lower order
   * @return the configuration
   */
  public SaSolverConfig withFinalOrder(FinalOrder newFinalOrder) {
    return new SaSolverConfig(
        spacing,
        stepsOffset,
        levels,
        order,
        correctorOrder,
        newFinalOrder,
        leastLambda,
        end,
        convention);
  }

  /**
   * The same from another level on.
   *
   * @param newLeastLambda the least λ at which a run may begin
   * @return the configuration
   * @throws IllegalArgumentException if it is not a number, or plus infinity
   */
  public SaSolverConfig withLeastLambda(double newLeastLambda) {
    return new SaSolverConfig(
        spacing,
        stepsOffset,
        levels,
        order,
        correctorOrder,
        finalOrder,
        newLeastLambda,
        end,
        convention);
  }

  @Override
  public SaSolverConfig withEnd(End newEnd) {
    return new SaSolverConfig(
        spacing,
        stepsOffset,
        levels,
        order,
        correctorOrder,
        finalOrder,
        leastLambda,
        newEnd,
        convention);
  }

  @Override
  public SaSolverConfig withConvention(Convention newConvention) {
    return new SaSolverConfig(
        spacing,
        stepsOffset,
        levels,
        order,
        correctorOrder,
        finalOrder,
        leastLambda,
        end,
        newConvention);
  }

  @Override
  public PathSampler create(NoiseSchedule schedule, Part part, X0Constraint x0Constraint) {
    NoiseLevels run =
        VisitedTimes.aboveZero(spacing, stepsOffset)
            .from(leastLambda)
            .levels(schedule, part, LevelRange.of(levels), convention, end);
    int length = convention == Convention.DIFFUSERS ? USUAL_TIMESTEPS : schedule.timesteps();
    return new SaSolverSampler(
        run,
        order,
        correctorOrder,
        new Stochasticity(FIRST * length, LAST * length, 1),
        finalOrder,
        x0Constraint);
  }
}
