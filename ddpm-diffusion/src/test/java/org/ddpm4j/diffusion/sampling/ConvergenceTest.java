package org.ddpm4j.diffusion.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler.Equation;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler.Prediction;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler.SecondOrder;
import org.ddpm4j.diffusion.sampling.UniPcSampler.Scale;
import org.ddpm4j.schedules.NoiseSchedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A method of order p makes an error that is 2^p times smaller with twice as many steps. Measured
 * on Gaussian data with its best denoiser, in double precision, from λ = -8, where all is noise, to
 * λ = 1: not onto clean images, where λ has no end. Multistep methods begin with lower order; there
 * the flow is nearly straight, so that it does not show.
 */
class ConvergenceTest {

  private static final double FIRST_LAMBDA = -8;
  private static final double LAST_LAMBDA = 1;
  private static final int STEPS = 320;

  private interface Solver extends Function<NoiseLevels, Sampler> {}

  private static Arguments solver(String name, double order, Solver solver) {
    return arguments(name, order, solver);
  }

  private static Sampler dpmSolver(
      NoiseLevels levels, int order, Equation equation, Convention convention) {
    return new DpmSolverSampler(
        levels,
        order,
        equation,
        Prediction.X0,
        SecondOrder.MIDPOINT,
        FinalOrder.FULL,
        convention,
        X0Constraint.NONE);
  }

  private static Sampler ofEps(
      NoiseLevels levels, int order, Equation equation, SecondOrder secondOrder) {
    return new DpmSolverSampler(
        levels,
        order,
        equation,
        Prediction.EPS,
        secondOrder,
        FinalOrder.FULL,
        Convention.PAPER,
        X0Constraint.NONE);
  }

  /** In whole groups, after what is left of them, where the flow is nearly straight. */
  private static Sampler singlestep(
      NoiseLevels levels, int order, Prediction prediction, SecondOrder secondOrder) {
    return singlestep(levels, order, Equation.ODE, prediction, secondOrder);
  }

  private static Sampler singlestep(
      NoiseLevels levels,
      int order,
      Equation equation,
      Prediction prediction,
      SecondOrder secondOrder) {
    int left = levels.steps() % order;
    List<Integer> orders =
        IntStream.range(0, levels.steps())
            .mapToObj(i -> i < left ? 1 : (i - left) % order + 1)
            .toList();
    return new DpmSinglestepSampler(
        levels, orders, equation, prediction, secondOrder, Convention.PAPER, X0Constraint.NONE);
  }

  private static Sampler singlestepSde(NoiseLevels levels, int order) {
    return singlestep(levels, order, Equation.SDE, Prediction.X0, SecondOrder.MIDPOINT);
  }

  /** The denoiser knows every level, so that the times do not matter. */
  private static Sampler dpm2(NoiseLevels levels, Dpm2Sampler.Noise noise) {
    // With noise, a step first goes as far again.
    double share = noise == Dpm2Sampler.Noise.NONE ? 0.5 : 1;
    List<NoiseLevel> midpoints =
        levels.path().stream()
            .map(step -> step.from().lambda() + share * step.h())
            .map(lambda -> new NoiseLevel(0, 1 / (1 + Math.exp(-2 * lambda))))
            .toList();
    return new Dpm2Sampler(levels, midpoints, noise, X0Constraint.NONE);
  }

  private static Sampler saSolver(NoiseLevels levels, int order, int correctorOrder, double tau) {
    return new SaSolverSampler(
        levels,
        order,
        correctorOrder,
        new SaSolverSampler.Stochasticity(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, tau),
        FinalOrder.FULL,
        X0Constraint.NONE);
  }

  static Stream<Arguments> deterministicSolvers() {
    List<Arguments> solvers =
        new ArrayList<>(
            List.of(
                solver("DDIM", 1, levels -> new DdimSampler(levels, 0, X0Constraint.NONE)),
                solver("Euler", 1, levels -> new EulerSampler(levels, X0Constraint.NONE)),
                solver("Heun", 2, levels -> new HeunSampler(levels, X0Constraint.NONE)),
                solver("PLMS", 2, levels -> PndmSampler.plms(levels, X0Constraint.NONE)),
                solver("iPNDM", 2, levels -> IpndmSampler.of(levels, X0Constraint.NONE))));
    for (int p = 1; p <= 3; p++) {
      int order = p;
      solvers.add(
          solver(
              "DPM-Solver++ " + p,
              p,
              levels -> dpmSolver(levels, order, Equation.ODE, Convention.PAPER)));
      solvers.add(
          solver(
              "DPM-Solver " + p,
              p,
              levels -> ofEps(levels, order, Equation.ODE, SecondOrder.MIDPOINT)));
      solvers.add(
          solver(
              "UniPC " + p,
              p + 1,
              levels ->
                  new UniPcSampler(levels, order, Scale.BH2, FinalOrder.FULL, X0Constraint.NONE)));
      solvers.add(
          solver(
              "DEIS " + p,
              p,
              levels -> new DeisSampler(levels, order, FinalOrder.FULL, X0Constraint.NONE)));
    }
    solvers.add(
        solver(
            "DPM-Solver 2, Heun's", 2, levels -> ofEps(levels, 2, Equation.ODE, SecondOrder.HEUN)));
    for (int p = 1; p <= 3; p++) {
      int order = p;
      solvers.add(
          solver(
              "UniPC " + p + ", B1",
              p + 1,
              levels ->
                  new UniPcSampler(levels, order, Scale.BH1, FinalOrder.FULL, X0Constraint.NONE)));
    }
    for (int p = 1; p <= 3; p++) {
      int order = p;
      for (Prediction prediction : Prediction.values()) {
        solvers.add(
            solver(
                "singlestep DPM-Solver " + p + " of " + prediction,
                p,
                levels -> singlestep(levels, order, prediction, SecondOrder.HEUN)));
      }
    }
    solvers.add(
        solver(
            "singlestep DPM-Solver 2, the middle",
            2,
            levels -> singlestep(levels, 2, Prediction.X0, SecondOrder.MIDPOINT)));
    for (Prediction prediction : Prediction.values()) {
      solvers.add(
          solver(
              "singlestep DPM-Solver 3, the middle, of " + prediction,
              3,
              levels -> singlestep(levels, 3, prediction, SecondOrder.MIDPOINT)));
    }
    // The corrector's order is the solver's, whatever a predictor of no lower order has.
    for (int[] orders : new int[][] {{1, 1}, {1, 2}, {2, 2}, {3, 2}, {4, 2}, {3, 4}}) {
      solvers.add(
          solver(
              "SA-Solver %d, %d".formatted(orders[0], orders[1]),
              orders[1],
              levels -> saSolver(levels, orders[0], orders[1], 0)));
    }
    solvers.add(
        solver("Heun on the flow", 2, levels -> new FlowHeunSampler(levels, X0Constraint.NONE)));
    solvers.add(solver("DPM2", 2, levels -> dpm2(levels, Dpm2Sampler.Noise.NONE)));
    for (int p = 1; p <= 4; p++) {
      int order = p;
      solvers.add(
          solver("LMS " + p, p, levels -> new LmsSampler(levels, order, X0Constraint.NONE)));
    }
    return solvers.stream();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("deterministicSolvers")
  void convergesAtItsOrder(String name, double order, Solver solver) {
    assertThat(measuredOrder(solver, FIRST_LAMBDA, LAST_LAMBDA)).isCloseTo(order, within(0.15));
  }

  private static double measuredOrder(Solver solver, double firstLambda, double lastLambda) {
    double[] errors = new double[2];
    for (int k = 0; k < 2; k++) {
      NoiseLevels levels = GaussianFlow.evenlySpaced(firstLambda, lastLambda, STEPS << k);
      errors[k] = GaussianFlow.error(solver.apply(levels), levels);
    }
    return Math.log(errors[0] / errors[1]) / Math.log(2);
  }

  /** Half of the term of the second derivative is missing there; see docs/samplers.md. */
  @Test
  void theThirdOrderOfDiffusersIsTheSecond() {
    Solver diffusers = levels -> dpmSolver(levels, 3, Equation.ODE, Convention.DIFFUSERS);
    assertThat(measuredOrder(diffusers, -6, 2)).isCloseTo(2, within(0.1));
  }

  /** Its midpoints are timesteps, so a chain of twice as many timesteps as steps is needed. */
  @Test
  void pndmIsOfOrderTwo() {
    double[] errors = new double[2];
    for (int k = 0; k < 2; k++) {
      int steps = STEPS << k;
      NoiseSchedule schedule = evenlySpacedSchedule(2 * steps);
      List<NoiseLevel> levels = new ArrayList<>();
      for (int t = 2 * steps; t >= 0; t -= 2) {
        levels.add(NoiseLevel.of(schedule, t));
      }
      NoiseLevels run = new NoiseLevels(levels, InitialNoise.STANDARD);
      PndmSampler sampler = PndmSampler.rungeKutta(schedule, run, X0Constraint.NONE);
      errors[k] = GaussianFlow.error(sampler, run);
    }
    assertThat(Math.log(errors[0] / errors[1]) / Math.log(2)).isCloseTo(2, within(0.15));
  }

  private static NoiseSchedule evenlySpacedSchedule(int last) {
    double[] betas = new double[last + 1];
    double before = 1;
    for (int t = 0; t <= last; t++) {
      double lambda = LAST_LAMBDA + t * (FIRST_LAMBDA - LAST_LAMBDA) / last;
      double alphaCumprod = 1 / (1 + Math.exp(-2 * lambda));
      betas[t] = 1 - alphaCumprod / before;
      before = alphaCumprod;
    }
    return NoiseSchedule.of(betas);
  }

  static Stream<Arguments> stochasticSolvers() {
    return Stream.of(
        solver("DDIM, η = 1/2", 1, levels -> new DdimSampler(levels, 0.5, X0Constraint.NONE)),
        solver("DDIM, η = 1", 1, levels -> new DdimSampler(levels, 1, X0Constraint.NONE)),
        solver("Euler ancestral", 1, l -> new EulerAncestralSampler(l, X0Constraint.NONE)),
        solver("DPM2 ancestral", 2, l -> dpm2(l, Dpm2Sampler.Noise.ANCESTRAL)),
        solver("SA-Solver 1, 2", 2, l -> saSolver(l, 1, 2, 1)),
        solver("SA-Solver 2, 2", 2, l -> saSolver(l, 2, 2, 1)),
        solver("SA-Solver 4, 4", 2, l -> saSolver(l, 4, 4, 1)),
        // Of τ = 1, τ² and 1/τ² are the same.
        solver("SA-Solver 2, 2, τ = 1/2", 2, l -> saSolver(l, 2, 2, 0.5)),
        solver("singlestep SDE-DPM-Solver++ 1", 1, l -> singlestepSde(l, 1)),
        // The noise of a group's end knows nothing of that of its middle.
        solver("singlestep SDE-DPM-Solver++ 2", 1, l -> singlestepSde(l, 2)),
        solver("SDE-DPM-Solver 2", 2, l -> ofEps(l, 2, Equation.SDE, SecondOrder.MIDPOINT)),
        solver("SDE-DPM-Solver++ 1", 1, l -> dpmSolver(l, 1, Equation.SDE, Convention.PAPER)),
        solver("SDE-DPM-Solver++ 2", 2, l -> dpmSolver(l, 2, Equation.SDE, Convention.PAPER)),
        // Noise that is drawn once for a step limits the order of the variance to 2.
        solver("SDE-DPM-Solver++ 3", 2, l -> dpmSolver(l, 3, Equation.SDE, Convention.PAPER)));
  }

  /**
   * In distribution: the mean is exact, since a state at the mean stays there; the variance is not.
   */
  @ParameterizedTest(name = "{0}")
  @MethodSource("stochasticSolvers")
  void convergesInDistributionAtItsOrder(String name, double order, Solver solver) {
    double[] errors = new double[2];
    for (int k = 0; k < 2; k++) {
      int steps = 80 << k;
      NoiseLevels levels = GaussianFlow.evenlySpaced(-3, 3, steps);
      NoiseLevel last = levels.levels().get(steps);
      GaussianFlow.Moments drawn =
          GaussianFlow.moments(solver.apply(levels), levels.levels().get(0), steps + 1);
      assertThat(drawn.mean()).isCloseTo(last.alpha() * GaussianFlow.MEAN, within(1e-12));
      errors[k] = Math.abs(drawn.variance() - GaussianFlow.variance(last));
    }
    assertThat(errors[1]).isPositive();
    assertThat(Math.log(errors[0] / errors[1]) / Math.log(2)).isCloseTo(order, within(0.15));
  }
}
