package org.ddpm4j.diffusion.sampling;

import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * DEIS (Zhang and Chen 2023, eq. 14 and 15): an exponential integrator that takes ε for a
 * polynomial through its last estimates, here a polynomial in log ρ ("ρAB" with diffusers' {@code
 * logrho}), integrated exactly.
 *
 * @param levels of the run
 * @param order of the solver, 1 to 3: degree of the polynomial plus 1; the first steps are of lower
 *     order, for want of estimates
 * @param finalOrder whether the last steps are of lower order too
 * @param x0Constraint applied to every estimate of x0
 */
public record DeisSampler(
    NoiseLevels levels, int order, FinalOrder finalOrder, X0Constraint x0Constraint)
    implements NoiseLevelsSampler {

  /** The order of diffusers' choice. */
  public static final int DEFAULT_ORDER = 2;

  private static final int MAX_ORDER = 3;

  /**
   * Checks the options.
   *
   * @throws IllegalArgumentException if the order is out of its range
   */
  public DeisSampler {
    Objects.requireNonNull(levels, "levels");
    Objects.requireNonNull(finalOrder, "finalOrder");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
    SolverOrder.require("DEIS", order, MAX_ORDER);
  }

  /**
   * With lower order in the last steps of short runs.
   *
   * @param levels of the run
   * @param order 1 to 3
   * @param x0Constraint applied to every estimate of x0
   * @throws IllegalArgumentException if the order is out of its range
   */
  public DeisSampler(NoiseLevels levels, int order, X0Constraint x0Constraint) {
    this(levels, order, FinalOrder.LOWERED_IN_SHORT_RUNS, x0Constraint);
  }

  @Override
  public INDArray denoise(
      Denoiser denoiser, INDArray start, NoiseSource noise, SamplingObserver observer) {
    INDArray x = start;
    History history = new History(order);
    for (int i = 0; i < steps(); i++) {
      NoiseStep step = levels.step(i);
      ConstrainedEstimate now = ConstrainedEstimate.of(denoiser, x, step.from(), x0Constraint);
      history.add(step.from(), now.eps());
      int stepOrder = finalOrder.order(order, history, levels, i);
      x =
          stepOrder == 1
              ? step.ddim(now.x0(), now.eps())
              : history.combine(
                  step.to().alpha() / step.from().alpha(),
                  x,
                  -step.to().sigma(),
                  weights(history, step, stepOrder));
      observer.onStep(i + 1, x, now.x0());
    }
    return x;
  }

  /** Of the estimates in {@code ∫ h e^{h(1-s)} ε(s) ds}, s from 0 to 1 within the step. */
  private static double[] weights(History history, NoiseStep step, int stepOrder) {
    double[] nodes = history.nodes(step, level -> level.lambda(), stepOrder);
    double h = step.h();
    return Arrays.stream(ExponentialQuadrature.weights(h, nodes)).map(w -> h * w).toArray();
  }
}
