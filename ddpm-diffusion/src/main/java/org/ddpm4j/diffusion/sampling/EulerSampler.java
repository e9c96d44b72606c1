package org.ddpm4j.diffusion.sampling;

import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Euler's method on the probability flow {@code d(x/α)/dρ = ε} (Karras et al. 2022, algorithm 1
 * without its correction). It is DDIM with η = 0, but for ε, which here follows x0 where that is
 * constrained.
 *
 * @param levels of the run
 * @param x0Constraint applied to every estimate of x0
 */
public record EulerSampler(NoiseLevels levels, X0Constraint x0Constraint)
    implements NoiseLevelsSampler {

  /** Checks that nothing is missing. */
  public EulerSampler {
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
      x = step.ddim(now.x0(), now.eps());
      observer.onStep(i + 1, x, now.x0());
    }
    return x;
  }
}
