package org.ddpm4j.diffusion.sampling;

import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * DPM-Solver++, multistep (Lu et al. 2022b, algorithm 2 and section 5), and DPM-Solver (Lu et al.
 * 2022a): exponential integrators that take x0, or ε, for a polynomial in λ through its last
 * estimates. Order 1 is DDIM, order 2 is known as 2M, order 3 as 3M.
 *
 * @param levels of the run; for {@link Prediction#EPS} the first has some signal left
 * @param order of the solver, 1 to 3; the first steps are of lower order, for want of estimates
 * @param equation what is solved
 * @param prediction what is taken for a polynomial
 * @param secondOrder how the first derivative is weighed in steps of order 2
 * @param finalOrder whether the last steps are of lower order too
 * @param convention {@link Convention#DIFFUSERS} to have the term of the second derivative halved
 *     in order 3, as in the authors' code and in diffusers, which makes it a method of order 2, and
 *     for the SDE of x0 less the difference itself, which makes it one of order 1
 * @param x0Constraint applied to every estimate of x0
 */
public record DpmSolverSampler(
    NoiseLevels levels,
    int order,
    Equation equation,
    Prediction prediction,
    SecondOrder secondOrder,
    FinalOrder finalOrder,
    Convention convention,
    X0Constraint x0Constraint)
    implements NoiseLevelsSampler {

  /** The order of the authors' choice for sampling without much guidance. */
  public static final int DEFAULT_ORDER = 2;

  private static final int MAX_ORDER = 3;

  /** The reverse process that is solved. */
  public enum Equation {
    /** The probability flow (Lu et al. 2022b, eq. 8): no noise after the first. */
    ODE(1),
    /** The diffusion (Lu et al. 2022b, eq. 18): SDE-DPM-Solver, fresh noise in every step. */
    SDE(2);

    /** How much faster than the flow's it forgets x/α: factor of h in the exponents. */
    private final int rate;

    Equation(int rate) {
      this.rate = rate;
    }

    int rate() {
      return rate;
    }
  }

  /** What is taken for a polynomial in λ. */
  public enum Prediction {
    /** x0: DPM-Solver++. */
    X0,
    /** ε: DPM-Solver, for runs that end where some noise is left. */
    EPS
  }

  /** How steps of order 2 weigh the first derivative; the two are equal up to O(h³). */
  public enum SecondOrder {
    /** By its value at the middle of the step: the authors' choice. */
    MIDPOINT,
    /** By its integral: diffusers' {@code heun}. */
    HEUN
  }

  /**
   * Checks the options.
   *
   * @throws IllegalArgumentException if the order is out of its range, or levels without signal or
   *     without noise do not go with the prediction
   */
  public DpmSolverSampler {
    Objects.requireNonNull(levels, "levels");
    Objects.requireNonNull(equation, "equation");
    Objects.requireNonNull(prediction, "prediction");
    Objects.requireNonNull(secondOrder, "secondOrder");
    Objects.requireNonNull(finalOrder, "finalOrder");
    Objects.requireNonNull(convention, "convention");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
    SolverOrder.require(
        prediction == Prediction.X0 ? "DPM-Solver++" : "DPM-Solver", order, MAX_ORDER);
    requireReachable(levels, prediction);
  }

  /** Refuses to integrate ε where no signal is left, or to where no noise is. */
  static void requireReachable(NoiseLevels levels, Prediction prediction) {
    if (prediction == Prediction.EPS
        && (levels.first().alphaCumprod() == 0
            || levels.levels().get(levels.steps()).alphaCumprod() == 1)) {
      throw new IllegalArgumentException(
          "DPM-Solver integrates ε, which is possible neither from a level without any signal nor to"
              + " clean images; end at timestep 0, or choose DPM-Solver++.");
    }
  }

  /**
   * DPM-Solver++ with the authors' second order, and their end: lower order in the last steps of
   * short runs.
   *
   * @param levels of the run
   * @param order 1 to 3
   * @param equation what is solved
   * @param x0Constraint applied to every estimate of x0
   * @throws IllegalArgumentException if the order is out of its range
   */
  public DpmSolverSampler(
      NoiseLevels levels, int order, Equation equation, X0Constraint x0Constraint) {
    this(
        levels,
        order,
        equation,
        Prediction.X0,
        SecondOrder.MIDPOINT,
        FinalOrder.LOWERED_IN_SHORT_RUNS,
        Convention.PAPER,
        x0Constraint);
  }

  @Override
  public INDArray denoise(
      Denoiser denoiser, INDArray start, NoiseSource noise, SamplingObserver observer) {
    INDArray x = start;
    History history = new History(order);
    for (int i = 0; i < steps(); i++) {
      NoiseStep step = levels.step(i);
      ConstrainedEstimate now = ConstrainedEstimate.of(denoiser, x, step.from(), x0Constraint);
      history.add(step.from(), prediction == Prediction.X0 ? now.x0() : now.eps());
      int stepOrder = finalOrder.order(order, history, levels, i);
      DpmSolverStep solver = new DpmSolverStep(equation, prediction, step);
      x = solver.apply(x, history, weights(history, solver, stepOrder));
      double fresh = solver.deviation();
      if (fresh > 0) {
        noise.addTo(x, fresh, i + 1);
      }
      observer.onStep(i + 1, x, now.x0());
    }
    return x;
  }

  private double[] weights(History history, DpmSolverStep solver, int stepOrder) {
    double z = solver.exponent();
    if (stepOrder == 1) {
      return new double[] {DpmSolverStep.gain(z)};
    }
    double[] nodes = history.nodes(solver.step(), NoiseLevel::lambda, stepOrder);
    if (stepOrder == 2 && secondOrder == SecondOrder.MIDPOINT) {
      return DpmSolverStep.midpoint(z, nodes);
    }
    double[] weights = DpmSolverStep.integrated(z, nodes);
    if (stepOrder == MAX_ORDER && convention == Convention.DIFFUSERS) {
      double missing = Math.abs(z) * ExponentialQuadrature.phi(MAX_ORDER, z);
      if (equation == Equation.SDE && prediction == Prediction.X0) {
        // A constant has the wrong sign besides.
        missing += 1;
      }
      for (int k = 0; k < weights.length; k++) {
        weights[k] -= missing * DpmSolverStep.dividedDifference(nodes, k);
      }
    }
    return weights;
  }
}
