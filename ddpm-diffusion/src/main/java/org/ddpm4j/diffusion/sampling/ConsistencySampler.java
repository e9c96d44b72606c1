package org.ddpm4j.diffusion.sampling;

import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One-step and multistep sampling of consistency models (Song et al. 2023, algorithm 1): each step
 * jumps to the image, to which noise up to the next level is added.
 *
 * @param levels of the run; at the last one, which no network is asked at, no noise is added
 * @param leastRatio ρ at which the model is the identity, ε of the paper
 * @param x0Constraint applied to every image
 */
public record ConsistencySampler(NoiseLevels levels, double leastRatio, X0Constraint x0Constraint)
    implements NoiseLevelsSampler {

  /** Checks that nothing is missing. */
  public ConsistencySampler {
    Objects.requireNonNull(levels, "levels");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
  }

  @Override
  public INDArray denoise(
      Denoiser denoiser, INDArray start, NoiseSource noise, SamplingObserver observer) {
    INDArray x = start;
    for (int i = 0; i < steps(); i++) {
      INDArray x0 = x0Constraint.apply(denoiser.denoise(x, levels.step(i).from()).x0());
      NoiseLevel to = levels.step(i).to();
      x = BatchArithmetic.scale(to.alpha(), x0);
      double fresh = Math.sqrt(Math.max(0, to.rho() * to.rho() - leastRatio * leastRatio));
      if (fresh > 0 && i < steps() - 1) {
        noise.addTo(x, to.alpha() * fresh, i + 1);
      }
      observer.onStep(i + 1, x, x0);
    }
    return x;
  }
}
