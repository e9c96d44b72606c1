package org.ddpm4j.diffusion.editing;

import java.util.Objects;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Draws an image anew (SDEdit: Meng et al. 2022, algorithm 1; "img2img" in diffusers): adds as much
 * noise as the sampler's first level has, which hides what is smaller than that, and takes it away
 * again. How much of the image is left is decided by where the sampler's path begins, see {@link
 * org.ddpm4j.diffusion.config.SamplerConfig.Part#ofStrength}.
 *
 * @param sampler of the noisy image
 * @param image {@code [1,C,H,W]} for all images of a batch, or {@code [N,C,H,W]}, in the range of
 *     the training data
 */
public record ImageToImageSampler(PathSampler sampler, INDArray image) implements Sampler {

  /** No sampler draws it, so that images have the same noise whatever the sampler and its steps. */
  private static final long DRAW = CounterRandom.COUNTER_LIMIT - 1;

  /**
   * Checks the image.
   *
   * @throws IllegalArgumentException if it is no batch of images
   */
  public ImageToImageSampler {
    Objects.requireNonNull(sampler, "sampler");
    Batches.requireImages("image", image);
  }

  /**
   * The noisy image that a run begins with.
   *
   * @param noise all randomness of the run; ε is what it begins runs with
   * @param shape {@code [N,C,H,W]}
   * @return {@code α x0 + σ ε} at the sampler's first level, of that shape
   * @throws IllegalArgumentException if the image does not fit that shape
   */
  public INDArray initial(NoiseSource noise, long... shape) {
    INDArray eps = noise.initial(DRAW, shape);
    INDArray x0 = Batches.expand("image", image, eps.dataType(), shape);
    return ForwardProcess.qSample(x0, sampler.first(), eps);
  }

  @Override
  public INDArray sample(
      Denoiser denoiser, NoiseSource noise, SamplingObserver observer, long... shape) {
    return sampler.denoise(denoiser, initial(noise, shape), noise, observer);
  }

  @Override
  public int steps() {
    return sampler.steps();
  }

  @Override
  public int evaluations() {
    return sampler.evaluations();
  }
}
