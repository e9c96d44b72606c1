package org.ddpm4j.diffusion.sampling;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler.Equation;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler.Prediction;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler.SecondOrder;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * DPM-Solver++ and DPM-Solver, singlestep (Lu et al. 2022b, algorithm 1, and 2022a, algorithms 1
 * and 2): levels are taken in groups of up to three. Within a group every further level is reached
 * from the group's first by all estimates since then, so that nothing is remembered from before.
 *
 * @param levels of the run
 * @param orders of the steps: 1 begins a group, 2 and 3 go on with it
 * @param equation what is solved
 * @param prediction what is taken for a polynomial
 * @param secondOrder how order 2 weighs the first derivative, and whether order 3 knows a second
 *     one: {@link SecondOrder#MIDPOINT} leaves it out, as the authors do
 * @param convention {@link Convention#DIFFUSERS} to have a constant of the wrong sign in the second
 *     derivative of the SDE, as there
 * @param x0Constraint applied to every estimate of x0
 */
public record DpmSinglestepSampler(
    NoiseLevels levels,
    List<Integer> orders,
    Equation equation,
    Prediction prediction,
    SecondOrder secondOrder,
    Convention convention,
    X0Constraint x0Constraint)
    implements NoiseLevelsSampler {

  private static final int MAX_ORDER = 3;

  /**
   * Checks the options.
   *
   * @throws IllegalArgumentException if there are not as many orders as steps, an order does not
   *     follow on the one before, or a solver of ε begins without signal or ends without noise
   */
  public DpmSinglestepSampler {
    Objects.requireNonNull(orders, "orders");
    Objects.requireNonNull(levels, "levels");
    orders = List.copyOf(orders);
    Objects.requireNonNull(equation, "equation");
    Objects.requireNonNull(prediction, "prediction");
    Objects.requireNonNull(secondOrder, "secondOrder");
    Objects.requireNonNull(convention, "convention");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
    boolean isValid = orders.size() == levels.steps();
    for (int i = 0; i < orders.size(); i++) {
      int order = orders.get(i);
      isValid &= order == 1 || (order <= MAX_ORDER && i > 0 && order == orders.get(i - 1) + 1);
    }
    if (!isValid) {
      throw new IllegalArgumentException(
          Text.format(
              "The orders of %d steps cannot be %s; each is 1, or one more than the one before, up to %d.",
              levels.steps(), orders, MAX_ORDER));
    }
    DpmSolverSampler.requireReachable(levels, prediction);
  }

  /**
   * The orders of a run's steps, as diffusers groups them.
   *
   * @param levels of the run
   * @param order the highest, 1 to 3
   * @param finalOrder {@link FinalOrder#FULL} for whole groups to the end, where their length
   *     divides the number of steps and the run does not end at clean images; else the last group
   *     that would be whole loses its last step to one of order 1
   * @return an order for each step
   * @throws IllegalArgumentException if the order is out of its range
   */
  public static List<Integer> orders(NoiseLevels levels, int order, FinalOrder finalOrder) {
    Objects.requireNonNull(levels, "levels");
    SolverOrder.require("singlestep DPM-Solver", order, MAX_ORDER);
    int steps = levels.steps();
    boolean isClean = levels.levels().get(steps).alphaCumprod() == 1;
    boolean isWhole = finalOrder == FinalOrder.FULL && steps % order == 0;
    List<Integer> orders = new ArrayList<>();
    for (int i = 0; i < steps; i++) {
      orders.add(i % order + 1);
    }
    if (isClean || (!isWhole && steps % order == 0)) {
      orders.set(steps - 1, 1);
    }
    return Collections.unmodifiableList(orders);
  }

  @Override
  public INDArray denoise(
      Denoiser denoiser, INDArray start, NoiseSource noise, SamplingObserver observer) {
    INDArray x = start;
    INDArray base = start;
    int first = 0;
    History history = new History(MAX_ORDER);
    for (int i = 0; i < steps(); i++) {
      NoiseLevel from = levels.step(i).from();
      // No polynomial goes through a level without any signal.
      if (orders.get(i) == 1 || levels.levels().get(first).alphaCumprod() == 0) {
        first = i;
        base = x;
      }
      int order = i + 1 - first;
      ConstrainedEstimate now = ConstrainedEstimate.of(denoiser, x, from, x0Constraint);
      history.add(from, prediction == Prediction.X0 ? now.x0() : now.eps());
      NoiseStep group = new NoiseStep(levels.levels().get(first), levels.levels().get(i + 1));
      DpmSolverStep solver = new DpmSolverStep(equation, prediction, group);
      x = solver.apply(base, history, weights(history, solver, order));
      double fresh = solver.deviation();
      if (fresh > 0) {
        noise.addTo(x, fresh, i + 1);
      }
      observer.onStep(i + 1, x, now.x0());
    }
    return x;
  }

  /** Of the estimates since the group's beginning, newest first. */
  private double[] weights(History history, DpmSolverStep solver, int order) {
    double z = solver.exponent();
    if (order == 1) {
      return new double[] {DpmSolverStep.gain(z)};
    }
    double[] nodes = history.nodes(solver.step(), NoiseLevel::lambda, order);
    if (secondOrder == SecondOrder.MIDPOINT) {
      if (order == 2) {
        return DpmSolverStep.midpoint(z, nodes);
      }
      double[] ends = DpmSolverStep.integrated(z, nodes[0], nodes[2]);
      return new double[] {ends[0], 0, ends[1]};
    }
    double[] weights = DpmSolverStep.integrated(z, nodes);
    boolean isFlawed =
        order == MAX_ORDER
            && convention == Convention.DIFFUSERS
            && equation == Equation.SDE
            && prediction == Prediction.X0;
    for (int k = 0; isFlawed && k < weights.length; k++) {
      weights[k] -= 2 * DpmSolverStep.dividedDifference(nodes, k);
    }
    return weights;
  }
}
