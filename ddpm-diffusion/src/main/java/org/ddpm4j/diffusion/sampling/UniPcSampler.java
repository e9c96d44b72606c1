package org.ddpm4j.diffusion.sampling;

import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * UniPC (Zhao et al. 2023, algorithms 1 and 2, for predictions of x0): each step extrapolates as
 * DPM-Solver++ does, and the estimate made at its end, which the next step needs anyway, then
 * corrects it. The corrector raises the order by one, at no more calls of the network.
 *
 * @param levels of the run
 * @param order p of the predictor, 1 to 3; the solver is of order p+1
 * @param scale B(h)
 * @param finalOrder whether the last steps are of lower order
 * @param x0Constraint applied to every estimate of x0
 */
public record UniPcSampler(
    NoiseLevels levels, int order, Scale scale, FinalOrder finalOrder, X0Constraint x0Constraint)
    implements NoiseLevelsSampler {

  /**
   * B(h), which differences of estimates are multiplied with where their coefficient is not solved
   * for but is 1/2 (Zhao et al. 2023, section 3.4): in the predictor of order 2, and the corrector
   * of order 1.
   */
  public enum Scale {
    /** {@code h}: B_1. */
    BH1 {
      @Override
      double of(double h) {
        return h;
      }
    },
    /** {@code e^h - 1}, here for x0 {@code 1 - e^-h}: B_2, the authors' choice. */
    BH2 {
      @Override
      double of(double h) {
        return -Math.expm1(-h);
      }
    };

    abstract double of(double h);
  }

  /** The order of the authors' choice for guided sampling, and diffusers'. */
  public static final int DEFAULT_ORDER = 2;

  private static final int MAX_ORDER = 3;

  /**
   * Checks the options.
   *
   * @throws IllegalArgumentException if the order is out of its range
   */
  public UniPcSampler {
    Objects.requireNonNull(levels, "levels");
    Objects.requireNonNull(scale, "scale");
    Objects.requireNonNull(finalOrder, "finalOrder");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
    SolverOrder.require("UniPC", order, MAX_ORDER);
  }

  /**
   * With the authors' B(h), and their end: lower order in the last steps.
   *
   * @param levels of the run
   * @param order 1 to 3
   * @param x0Constraint applied to every estimate of x0
   * @throws IllegalArgumentException if the order is out of its range
   */
  public UniPcSampler(NoiseLevels levels, int order, X0Constraint x0Constraint) {
    this(levels, order, Scale.BH2, FinalOrder.LOWERED, x0Constraint);
  }

  @Override
  public INDArray denoise(
      Denoiser denoiser, INDArray start, NoiseSource noise, SamplingObserver observer) {
    INDArray x = start;
    INDArray before = x;
    History history = new History(order);
    int stepOrder = 0;
    for (int i = 0; i < steps(); i++) {
      NoiseStep step = levels.step(i);
      INDArray x0 = x0Constraint.apply(denoiser.denoise(x, step.from()).x0());
      if (i > 0) {
        x = corrected(levels.step(i - 1), before, history, x0, stepOrder);
      }
      history.add(step.from(), x0);
      stepOrder = finalOrder.order(order, history, levels, i);
      before = x;
      x = predicted(step, x, history, stepOrder);
      observer.onStep(i + 1, x, x0);
    }
    return x;
  }

  /** UniP-p (algorithm 2). */
  private INDArray predicted(NoiseStep step, INDArray x, History history, int p) {
    double gain = -Math.expm1(-step.h());
    double[] weights;
    if (p == 1) {
      weights = new double[] {gain};
    } else {
      double[] nodes = history.nodes(step, level -> level.lambda(), p);
      // Section 3.4: of order 2, the only coefficient is 1/2.
      double half = scale.of(step.h()) / 2 / nodes[1];
      weights = p == 2 ? new double[] {gain - half, half} : integrated(step.h(), nodes);
    }
    return history.combine(step.to().sigma() / step.from().sigma(), x, step.to().alpha(), weights);
  }

  /** UniC-p (algorithm 1): the same integral with the estimate at the step's end as a node more. */
  private INDArray corrected(NoiseStep step, INDArray before, History history, INDArray x0, int p) {
    double gain = -Math.expm1(-step.h());
    double[] weights;
    if (p == 1) {
      // Section 3.4 again.
      double half = scale.of(step.h()) / 2;
      weights = new double[] {gain - half, half};
    } else {
      double[] nodes = Arrays.copyOf(history.nodes(step, level -> level.lambda(), p), p + 1);
      nodes[p] = 1;
      weights = integrated(step.h(), nodes);
    }
    INDArray known =
        history.combine(
            step.to().sigma() / step.from().sigma(),
            before,
            step.to().alpha(),
            Arrays.copyOf(weights, p));
    return BatchArithmetic.combine(1, known, step.to().alpha() * weights[p], x0);
  }

  private static double[] integrated(double h, double[] nodes) {
    return Arrays.stream(ExponentialQuadrature.weights(-h, nodes)).map(w -> h * w).toArray();
  }
}
