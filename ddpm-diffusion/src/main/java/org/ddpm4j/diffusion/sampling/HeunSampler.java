package org.ddpm4j.diffusion.sampling;

import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Heun's method on the probability flow {@code d(x/α)/dρ = ε} (Karras et al. 2022, algorithm 1): a
 * step of Euler's, and then the same step with the mean of the slopes at both its ends. Onto clean
 * images, and from where no signal is left, it is Euler's alone.
 *
 * @param levels of the run
 * @param x0Constraint applied to every estimate of x0
 */
public record HeunSampler(NoiseLevels levels, X0Constraint x0Constraint)
    implements NoiseLevelsSampler {

  /** Checks that nothing is missing. */
  public HeunSampler {
    Objects.requireNonNull(levels, "levels");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
  }

  @Override
  public INDArray denoise(
      Denoiser denoiser, INDArray start, NoiseSource noise, SamplingObserver observer) {
    INDArray x = start;
    for (int i = 0; i < steps(); i++) {
      NoiseStep step = levels.step(i);
      ConstrainedEstimate now = ConstrainedEstimate.of(denoiser, x, step.from(), x0Constraint);
      INDArray reached = step.ddim(now.x0(), now.eps());
      INDArray x0 = now.x0();
      if (step.isFinite()) {
        ConstrainedEstimate end =
            ConstrainedEstimate.of(denoiser, reached, step.to(), x0Constraint);
        reached = step.alongEps(x, BatchArithmetic.combine(0.5, now.eps(), 0.5, end.eps()));
        x0 = end.x0();
      }
      x = reached;
      observer.onStep(i + 1, x, x0);
    }
    return x;
  }

  @Override
  public int evaluations() {
    return steps() + (int) levels.path().stream().filter(NoiseStep::isFinite).count();
  }
}
