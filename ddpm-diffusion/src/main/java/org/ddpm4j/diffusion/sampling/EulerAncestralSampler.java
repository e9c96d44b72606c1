package org.ddpm4j.diffusion.sampling;

import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Euler's method a little further than the step goes, and noise for the way back, as much as the
 * posterior of DDPM has (k-diffusion's {@code sample_euler_ancestral}). It is DDIM with η = 1, but
 * for ε, which here follows x0 where that is constrained.
 *
 * @param levels of the run
 * @param x0Constraint applied to every estimate of x0
 */
public record EulerAncestralSampler(NoiseLevels levels, X0Constraint x0Constraint)
    implements NoiseLevelsSampler {

  /** Checks that nothing is missing. */
  public EulerAncestralSampler {
    Objects.requireNonNull(levels, "levels");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
  }

  @Override
  public INDArray denoise(
      Denoiser denoiser, INDArray start, NoiseSource noise, SamplingObserver observer) {
    INDArray x = start;
    for (int i = 0; i < steps(); i++) {
      NoiseLevel from = levels.step(i).from();
      NoiseLevel to = levels.step(i).to();
      ConstrainedEstimate now = ConstrainedEstimate.of(denoiser, x, from, x0Constraint);
      double ratio = to.rho() / from.rho();
      double down = to.sigma() * ratio;
      double up = to.sigma() * Math.sqrt(1 - ratio * ratio);
      x = BatchArithmetic.combine(to.alpha(), now.x0(), down, now.eps());
      if (up > 0) {
        noise.addTo(x, up, i + 1);
      }
      observer.onStep(i + 1, x, now.x0());
    }
    return x;
  }
}
