package org.ddpm4j.diffusion.editing;

import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.diffusion.sampling.DdimSampler;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.NoiseStep;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Finds the noise of which DDIM draws an image (Song et al. 2021, sections 4.3 and 5.4; Dhariwal
 * and Nichol 2021, appendix F): the probability flow, upwards.
 *
 * <p>A step of DDIM goes down from x to {@code x' = (α'/α) x + (σ' - σ α'/α) ε(x)}. Its inverse
 * would need ε at the x that it is looking for; it is found by fixed-point iteration, beginning
 * with x'. One iteration is a method of first order and what diffusers' {@code
 * DDIMInverseScheduler} does; with each further one, the way up comes nearer to the exact inverse
 * of the way down, as long as the steps are short enough for the iteration to converge.
 *
 * @param levels of the run, as for DDIM: from noise to images
 * @param iterations for each step, at least 1
 * @param x0Constraint applied to the estimate of x0 in every step, as diffusers' {@code
 *     clip_sample}; what it changes is lost, since the way back is without it
 */
public record DdimInversion(NoiseLevels levels, int iterations, X0Constraint x0Constraint) {

  /**
   * Checks the options.
   *
   * @throws IllegalArgumentException if there are no iterations
   */
  public DdimInversion {
    Objects.requireNonNull(levels, "levels");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
    if (iterations < 1) {
      throw new IllegalArgumentException(
          Text.format("%d iterations find no noise; it takes at least 1.", iterations));
    }
  }

  /**
   * Without a constraint.
   *
   * @param levels of the run, as for DDIM: from noise to images
   * @param iterations for each step, at least 1
   * @throws IllegalArgumentException if there are no iterations
   */
  public DdimInversion(NoiseLevels levels, int iterations) {
    this(levels, iterations, X0Constraint.NONE);
  }

  /**
   * With one iteration for each step.
   *
   * @param levels of the run, as for DDIM: from noise to images
   */
  public DdimInversion(NoiseLevels levels) {
    this(levels, 1);
  }

  /**
   * Encodes images.
   *
   * @param denoiser the model
   * @param images {@code [N,C,H,W]}, in the range of the training data; not modified
   * @param observer sees every state; what it is told are the states from images to noise
   * @return the latents, which {@link #decoder} makes the images of, same shape
   */
  public INDArray invert(Denoiser denoiser, INDArray images, SamplingObserver observer) {
    Batches.requireImages("image", images);
    INDArray x = images;
    for (int i = levels.steps() - 1; i >= 0; i--) {
      NoiseStep step = levels.step(i);
      INDArray guess = x;
      INDArray x0 = x;
      for (int k = 0; k < iterations; k++) {
        Denoiser.Estimate estimate = denoiser.denoise(guess, step.from());
        guess = up(step, x, estimate.eps());
        x0 = estimate.x0();
      }
      x = guess;
      observer.onStep(levels.steps() - i, x, x0);
    }
    return x;
  }

  private INDArray up(NoiseStep step, INDArray x, INDArray eps) {
    NoiseLevel noisy = step.from();
    NoiseLevel clean = step.to();
    double ratio = noisy.alpha() / clean.alpha();
    if (x0Constraint == X0Constraint.NONE) {
      return BatchArithmetic.combine(ratio, x, noisy.sigma() - ratio * clean.sigma(), eps);
    }
    INDArray x0 = x.div(clean.alpha()).subi(eps.mul(clean.sigma() / clean.alpha()));
    return BatchArithmetic.combine(noisy.alpha(), x0Constraint.apply(x0), noisy.sigma(), eps);
  }

  /**
   * The way back, by {@link DdimSampler#denoise}. It constrains nothing, because a clipped estimate
   * would lead elsewhere.
   *
   * @return DDIM with η = 0 through the same levels
   */
  public DdimSampler decoder() {
    return new DdimSampler(levels, 0, X0Constraint.NONE);
  }

  /**
   * The number of steps, after each of which the observer is told.
   *
   * @return S, at least 1
   */
  public int steps() {
    return levels.steps();
  }

  /**
   * The number of times that the denoiser is asked.
   *
   * @return iterations in all steps
   */
  public int evaluations() {
    return levels.steps() * iterations;
  }
}
