package org.ddpm4j.diffusion;

import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.SamplingOptions;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A model that is told classes, a sampler and a size of images. Thread-safe if the model is, and
 * ended as a {@link DiffusionPipeline} is.
 *
 * @param denoiser the model
 * @param sampler how its estimates become images
 * @param shape of the images
 */
public record ClassConditionalPipeline(
    ConditionalDenoiser denoiser, Sampler sampler, ImageShape shape) {

  /**
   * Checks that nothing is missing.
   *
   * @param denoiser the model
   * @param sampler how its estimates become images
   * @param shape of the images
   * @throws NullPointerException if one is missing
   */
  public ClassConditionalPipeline {
    Objects.requireNonNull(denoiser, "denoiser");
    Objects.requireNonNull(sampler, "sampler");
    Objects.requireNonNull(shape, "shape");
  }

  /**
   * Draws images.
   *
   * @param classes of the images to draw, at least one
   * @param seed image i of a seed begins with the same noise, whatever its class
   * @return {@code [classes,C,H,W]}
   */
  public INDArray sample(int[] classes, long seed) {
    return sample(classes, seed, SamplingOptions.defaults());
  }

  /**
   * Draws images in batches.
   *
   * @param classes of the images to draw, at least one
   * @param seed image i of a seed begins with the same noise, whatever its class
   * @param batchSize images in one go, at least 1
   * @param observer sees every step of every batch
   * @return {@code [classes,C,H,W]}
   */
  public INDArray sample(int[] classes, long seed, int batchSize, SamplingObserver observer) {
    return sample(classes, seed, DiffusionPipeline.options(classes.length, batchSize, observer));
  }

  /**
   * Draws images.
   *
   * @param classes of the images to draw, at least one
   * @param seed image i of a seed begins with the same noise, whatever its class
   * @param options how to go about it
   * @return {@code [classes,C,H,W]}
   * @throws java.util.concurrent.CancellationException if the thread was interrupted or the
   *     options' cancellation was requested before all were drawn
   */
  public INDArray sample(int[] classes, long seed, SamplingOptions options) {
    return DiffusionPipeline.draw(
        (first, size) -> denoiser.given(Arrays.copyOfRange(classes, first, first + size)),
        sampler,
        shape,
        classes.length,
        seed,
        options);
  }
}
