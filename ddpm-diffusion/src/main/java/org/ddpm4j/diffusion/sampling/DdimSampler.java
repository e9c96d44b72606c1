package org.ddpm4j.diffusion.sampling;

import java.util.List;
import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * DDIM (Song et al. 2021, eq. 12 and 16): the noisy image is made anew of the estimates of x0 and
 * ε, with a share of fresh noise. With η = 0 it is a first-order solver of the probability flow;
 * with η = 1 its steps have the mean and variance of DDPM's.
 *
 * <p>Where the estimate of x0 is constrained, ε stays as it was estimated (diffusers' {@code
 * use_clipped_model_output} of false).
 *
 * @param path the steps; each begins where the one before ended, except where diffusers' fixed
 *     stride is to be followed
 * @param eta η, from 0 (no noise) to 1
 * @param initialNoise what the state is drawn from before the first step
 * @param x0Constraint applied to every estimate of x0
 */
public record DdimSampler(
    List<NoiseStep> path, double eta, InitialNoise initialNoise, X0Constraint x0Constraint)
    implements PathSampler {

  /**
   * Checks the options.
   *
   * @throws IllegalArgumentException if there are no steps or η is out of its range
   */
  public DdimSampler {
    path = List.copyOf(Objects.requireNonNull(path, "path"));
    Objects.requireNonNull(initialNoise, "initialNoise");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
    if (path.isEmpty()) {
      throw new IllegalArgumentException("There are no steps; DDIM needs at least one.");
    }
    if (!(eta >= 0 && eta <= 1)) {
      throw new IllegalArgumentException(
          Text.format("η is %s; it must be from 0 (no noise) to 1 (as much as DDPM).", eta));
    }
  }

  /**
   * DDIM through given levels.
   *
   * @param levels of the run
   * @param eta η, from 0 (no noise) to 1
   * @param x0Constraint applied to every estimate of x0
   * @throws IllegalArgumentException if η is out of its range
   */
  public DdimSampler(NoiseLevels levels, double eta, X0Constraint x0Constraint) {
    this(Objects.requireNonNull(levels, "levels").path(), eta, levels.initialNoise(), x0Constraint);
  }

  @Override
  public NoiseLevel first() {
    return path.get(0).from();
  }

  @Override
  public INDArray initial(NoiseSource noise, long... shape) {
    return initialNoise.draw(first(), noise, shape);
  }

  @Override
  public INDArray denoise(
      Denoiser denoiser, INDArray start, NoiseSource noise, SamplingObserver observer) {
    INDArray x = start;
    for (int i = 0; i < path.size(); i++) {
      NoiseLevel from = path.get(i).from();
      NoiseLevel to = path.get(i).to();
      Denoiser.Estimate estimate = denoiser.denoise(x, from);
      INDArray x0 = x0Constraint.apply(estimate.x0());
      double share = 1 - from.alphaCumprod() / to.alphaCumprod();
      double fresh = eta * to.sigma() / from.sigma() * Math.sqrt(share);
      double kept = Math.sqrt(Math.max(0, 1 - to.alphaCumprod() - fresh * fresh));
      x = BatchArithmetic.combine(to.alpha(), x0, kept, estimate.eps());
      if (fresh > 0) {
        noise.addTo(x, fresh, i + 1);
      }
      observer.onStep(i + 1, x, x0);
    }
    return x;
  }

  @Override
  public int steps() {
    return path.size();
  }
}
