package org.ddpm4j.diffusion.sampling;

import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * SA-Solver (Xue et al. 2023, algorithm 1, for predictions of x0): Adams and Bashforth's predictor
 * and Adams and Moulton's corrector on a diffusion with τ(t) times as much noise as DDPM's, from
 * none, the probability flow, to 1. The corrector takes the estimate that the next step needs
 * anyway, and the same noise.
 *
 * @param levels of the run
 * @param order of the predictor, 1 to 4
 * @param correctorOrder of the corrector, 1 to 4
 * @param stochasticity τ of each timestep
 * @param finalOrder whether the last steps are of lower order
 * @param x0Constraint applied to every estimate of x0
 */
public record SaSolverSampler(
    NoiseLevels levels,
    int order,
    int correctorOrder,
    Stochasticity stochasticity,
    FinalOrder finalOrder,
    X0Constraint x0Constraint)
    implements NoiseLevelsSampler {

  /** The order of predictor and corrector that diffusers has. */
  public static final int DEFAULT_ORDER = 2;

  private static final int MAX_ORDER = 4;

  /**
   * τ, which is constant between two timesteps and 0 elsewhere.
   *
   * @param first the least timestep with noise
   * @param last the greatest
   * @param tau how much of DDPM's noise, at least 0
   */
  public record Stochasticity(double first, double last, double tau) {

    /**
     * Checks τ.
     *
     * @throws IllegalArgumentException if it is negative or not finite
     */
    public Stochasticity {
      if (!(tau >= 0 && tau < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            Text.format("τ is %s; it must be finite and at least 0.", tau));
      }
    }

    double at(NoiseLevel level) {
      return level.t() >= first && level.t() <= last ? tau : 0;
    }
  }

  /**
   * Checks the options.
   *
   * @throws IllegalArgumentException if an order is out of its range
   */
  public SaSolverSampler {
    Objects.requireNonNull(levels, "levels");
    Objects.requireNonNull(stochasticity, "stochasticity");
    Objects.requireNonNull(finalOrder, "finalOrder");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
    SolverOrder.require("SA-Solver's predictor", order, MAX_ORDER);
    SolverOrder.require("SA-Solver's corrector", correctorOrder, MAX_ORDER);
  }

  @Override
  public INDArray denoise(
      Denoiser denoiser, INDArray start, NoiseSource noise, SamplingObserver observer) {
    INDArray x = start;
    INDArray before = start;
    INDArray z = null;
    int corrector = 0;
    History history = new History(Math.max(order, correctorOrder - 1));
    for (int i = 0; i < steps(); i++) {
      NoiseStep step = levels.step(i);
      INDArray x0 = x0Constraint.apply(denoiser.denoise(x, step.from()).x0());
      if (i > 0 && levels.step(i - 1).isFinite()) {
        x = corrected(levels.step(i - 1), before, history, x0, z, corrector);
      }
      history.add(step.from(), x0);
      int limit = finalOrder.limit(steps() - i, steps());
      corrector =
          Math.min(
              Math.min(correctorOrder, history.size() + 1),
              limit == Integer.MAX_VALUE ? limit : limit + 1);
      before = x;
      z = noise.gaussian(i + 1, start.shape());
      x = predicted(step, x, history, z, finalOrder.order(order, history, levels, i));
      observer.onStep(i + 1, x, x0);
    }
    return x;
  }

  private INDArray predicted(
      NoiseStep step, INDArray x, History history, INDArray z, int stepOrder) {
    double rate = rate(step) * step.h();
    double[] weights =
        stepOrder == 1
            ? new double[] {DpmSolverStep.gain(-rate)}
            : weights(rate, history.nodes(step, NoiseLevel::lambda, stepOrder));
    INDArray next = history.combine(kept(step), x, step.to().alpha(), weights);
    return withNoise(step, next, z);
  }

  private INDArray corrected(
      NoiseStep step, INDArray before, History history, INDArray x0, INDArray z, int stepOrder) {
    double[] nodes = new double[stepOrder];
    nodes[0] = 1;
    double[] known = history.nodes(step, NoiseLevel::lambda, stepOrder - 1);
    System.arraycopy(known, 0, nodes, 1, known.length);
    double[] weights = weights(rate(step) * step.h(), nodes);
    INDArray sum =
        history.combine(
            kept(step), before, step.to().alpha(), Arrays.copyOfRange(weights, 1, stepOrder));
    INDArray next = BatchArithmetic.combine(1, sum, step.to().alpha() * weights[0], x0);
    return withNoise(step, next, z);
  }

  /** {@code 1 + τ²}, by which x/α is forgotten faster than along the flow. */
  private double rate(NoiseStep step) {
    double tau = stochasticity.at(step.from());
    return 1 + tau * tau;
  }

  private double kept(NoiseStep step) {
    double forgotten = rate(step) - 1;
    // The step may be of infinite length, from where no signal is left.
    return step.to().sigma()
        / step.from().sigma()
        * (forgotten == 0 ? 1 : Math.exp(-forgotten * step.h()));
  }

  private INDArray withNoise(NoiseStep step, INDArray x, INDArray z) {
    double share = -Math.expm1(2 * (1 - rate(step)) * step.h());
    if (share > 0) {
      BatchArithmetic.addScaled(x, step.to().sigma() * Math.sqrt(share), z);
    }
    return x;
  }

  /**
   * Of the estimates in {@code ∫ r e^{-r(1-s)} x0(s) ds}. With two of them the slope counts r/2, as
   * in the authors' code, which is its integral up to O(r²).
   */
  private static double[] weights(double rate, double... nodes) {
    if (nodes.length != 2) {
      return DpmSolverStep.integrated(-rate, nodes);
    }
    double gain = DpmSolverStep.gain(-rate);
    double between = nodes[0] - nodes[1];
    return new double[] {
      (rate / 2 - gain * nodes[1]) / between, (gain * nodes[0] - rate / 2) / between
    };
  }
}
