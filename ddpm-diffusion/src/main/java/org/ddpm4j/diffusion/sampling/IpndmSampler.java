package org.ddpm4j.diffusion.sampling;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * iPNDM (named by Zhang and Chen 2023): {@link PndmSampler PNDM}'s step by Adams and Bashforth's
 * combination of the last four ε, which begins with combinations of fewer in place of Runge and
 * Kutta's method. The network is asked once in each step.
 *
 * @param levels of the run, evenly spaced in time; where no signal is left at the first, ε is all
 *     that its estimate counts for, as in diffusers
 * @param x0Constraint applied to every estimate of x0
 */
public record IpndmSampler(NoiseLevels levels, X0Constraint x0Constraint)
    implements NoiseLevelsSampler {

  /** Checks that nothing is missing. */
  public IpndmSampler {
    Objects.requireNonNull(levels, "levels");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
  }

  /**
   * Of a network that is asked at timesteps.
   *
   * @param levels of the run, evenly spaced in time
   * @param x0Constraint applied to every estimate of x0
   * @return the sampler
   * @throws IllegalArgumentException if no signal is left at the first level
   */
  public static IpndmSampler of(NoiseLevels levels, X0Constraint x0Constraint) {
    Objects.requireNonNull(levels, "levels");
    if (levels.first().alphaCumprod() == 0) {
      throw new IllegalArgumentException(
          "iPNDM combines estimates of ε, which tell nothing where no signal is left; choose DDIM,"
              + " DPM-Solver++ or UniPC for a schedule of zero terminal SNR.");
    }
    return new IpndmSampler(levels, x0Constraint);
  }

  @Override
  public INDArray denoise(
      Denoiser denoiser, INDArray start, NoiseSource noise, SamplingObserver observer) {
    INDArray x = start;
    // Not a History, which forgets what was said where no signal was left.
    List<INDArray> newest = new ArrayList<>();
    for (int i = 0; i < steps(); i++) {
      NoiseStep step = levels.step(i);
      ConstrainedEstimate now = ConstrainedEstimate.of(denoiser, x, step.from(), x0Constraint);
      newest.add(0, now.eps());
      if (newest.size() > PndmSampler.ADAMS_BASHFORTH.length) {
        newest.remove(newest.size() - 1);
      }
      INDArray eps =
          BatchArithmetic.combine(PndmSampler.ADAMS_BASHFORTH[newest.size() - 1], newest);
      x =
          step.from().alphaCumprod() == 0
              ? BatchArithmetic.scale(step.to().sigma(), eps)
              : step.alongEps(x, eps);
      observer.onStep(i + 1, x, now.x0());
    }
    return x;
  }
}
