package org.ddpm4j.diffusion.sampling;

import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * DPM-Solver++, multistep (Lu et al. 2022b, algorithm 2 and section 5): an exponential integrator
 * that takes x0 for a polynomial in λ through its last estimates. Order 1 is DDIM, order 2 is known
 * as 2M, order 3 as 3M.
 *
 * @param levels of the run
 * @param order of the solver, 1 to 3; the first steps are of lower order, for want of estimates
 * @param equation what is solved
 * @param finalOrder whether the last steps are of lower order too
 * @param convention {@link Convention#DIFFUSERS} to have the term of the second derivative halved
 *     in order 3, as in the authors' code and in diffusers, which makes it a method of order 2
 * @param x0Constraint applied to every estimate of x0
 */
public record DpmSolverSampler(
    NoiseLevels levels,
    int order,
    Equation equation,
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
    /** The diffusion (Lu et al. 2022b, eq. 18): SDE-DPM-Solver++, fresh noise in every step. */
    SDE(2);

    /** How much faster than the flow's it forgets x/α: factor of h in the exponents. */
    private final int rate;

    Equation(int rate) {
      this.rate = rate;
    }
  }

  /**
   * Checks the options.
   *
   * @throws IllegalArgumentException if the order is out of its range
   */
  public DpmSolverSampler {
    Objects.requireNonNull(levels, "levels");
    Objects.requireNonNull(equation, "equation");
    Objects.requireNonNull(finalOrder, "finalOrder");
    Objects.requireNonNull(convention, "convention");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
    SolverOrder.require("DPM-Solver++", order, MAX_ORDER);
  }

  /**
   * With the authors' end: lower order in the last steps of short runs.
   *
   * @param levels of the run
   * @param order 1 to 3
   * @param equation what is solved
   * @param x0Constraint applied to every estimate of x0
   * @throws IllegalArgumentException if the order is out of its range
   */
  public DpmSolverSampler(
      NoiseLevels levels, int order, Equation equation, X0Constraint x0Constraint) {
    this(levels, order, equation, FinalOrder.LOWERED_IN_SHORT_RUNS, Convention.PAPER, x0Constraint);
  }

  @Override
  public INDArray denoise(
      Denoiser denoiser, INDArray start, NoiseSource noise, SamplingObserver observer) {
    INDArray x = start;
    History history = new History(order);
    for (int i = 0; i < steps(); i++) {
      NoiseStep step = levels.step(i);
      INDArray x0 = x0Constraint.apply(denoiser.denoise(x, step.from()).x0());
      history.add(step.from(), x0);
      double z = equation.rate * step.h();
      double kept = step.to().sigma() / step.from().sigma();
      if (equation == Equation.SDE) {
        kept *= Math.exp(-step.h());
      }
      double[] weights = weights(history, step, z, finalOrder.order(order, history, levels, i));
      x = history.combine(kept, x, step.to().alpha(), weights);
      double fresh = step.to().sigma() * Math.sqrt(-Math.expm1(-2 * step.h()));
      if (equation == Equation.SDE && fresh > 0) {
        x.addi(noise.gaussian(i + 1, start.shape()).muli(fresh));
      }
      observer.onStep(i + 1, x, x0);
    }
    return x;
  }

  /** Of the estimates in {@code ∫ z e^{-z(1-s)} x0(s) ds}, s from 0 to 1 within the step. */
  private double[] weights(History history, NoiseStep step, double z, int stepOrder) {
    double gain = -Math.expm1(-z);
    if (stepOrder == 1) {
      return new double[] {gain};
    }
    double[] nodes = history.nodes(step, level -> level.lambda(), stepOrder);
    if (stepOrder == 2) {
      // The difference weighed at the middle of the step: the authors' choice, equal up to O(h³).
      double ahead = gain / 2 / nodes[1];
      return new double[] {gain - ahead, ahead};
    }
    double[] weights = ExponentialQuadrature.weights(-z, nodes);
    double halved = convention == Convention.DIFFUSERS ? ExponentialQuadrature.phi(3, -z) : 0;
    for (int k = 0; k < weights.length; k++) {
      weights[k] = z * (weights[k] - halved * dividedDifference(nodes, k));
    }
    return weights;
  }

  /** The factor of the value at node k in the second divided difference of three. */
  private static double dividedDifference(double[] nodes, int k) {
    double product = 1;
    for (int i = 0; i < nodes.length; i++) {
      product *= i == k ? 1 : nodes[k] - nodes[i];
    }
    return 1 / product;
  }
}
