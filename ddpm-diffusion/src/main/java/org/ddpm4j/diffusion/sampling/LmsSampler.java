package org.ddpm4j.diffusion.sampling;

import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A linear multistep method: Adams and Bashforth's, with coefficients for uneven steps, on the
 * probability flow {@code d(x/α)/dρ = ε} (Karras et al. 2022, eq. 1; the solver of Katherine
 * Crowson's k-diffusion).
 *
 * @param levels of the run
 * @param order of the solver, 1 to 4; the first steps are of lower order, for want of estimates
 * @param x0Constraint applied to every estimate of x0
 */
public record LmsSampler(NoiseLevels levels, int order, X0Constraint x0Constraint)
    implements NoiseLevelsSampler {

  /** The order of k-diffusion and diffusers. */
  public static final int DEFAULT_ORDER = 4;

  private static final int MAX_ORDER = 4;

  /**
   * Checks the options.
   *
   * @throws IllegalArgumentException if the order is out of its range
   */
  public LmsSampler {
    Objects.requireNonNull(levels, "levels");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
    SolverOrder.require("LMS", order, MAX_ORDER);
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
      if (history.size() == 1 || step.h() == 0) {
        x = step.ddim(now.x0(), now.eps());
      } else {
        double[] nodes = history.nodes(step, level -> level.rho(), history.size());
        x =
            history.combine(
                step.to().alpha() / step.from().alpha(),
                x,
                step.to().alpha() * (step.to().rho() - step.from().rho()),
                ExponentialQuadrature.weights(0, nodes));
      }
      observer.onStep(i + 1, x, now.x0());
    }
    return x;
  }
}
