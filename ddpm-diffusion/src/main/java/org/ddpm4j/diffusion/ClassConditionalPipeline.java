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
    return draw(classes, DiffusionPipeline.seeded(seed), options);
  }

  /**
   * Draws the images that begin with a given noise, for example that of another program.
   *
   * @param noise {@code [N,C,H,W]}, FLOAT or DOUBLE: what the first state of each image is made of
   * @param classes of the N images
   * @param seed of the noise that the sampler adds on the way, if it does
   * @param options how to go about it
   * @return {@code [N,C,H,W]}
   * @throws IllegalArgumentException if the noise is of another type, or not of N images of this
   *     shape
   */
  public INDArray sampleFrom(INDArray noise, int[] classes, long seed, SamplingOptions options) {
    if (DiffusionPipeline.images(noise) != classes.length) {
      throw new IllegalArgumentException(
          "The noise has the shape %s where %d images with classes need [%d,%d,%d,%d]."
              .formatted(
                  Arrays.toString(noise.shape()),
                  classes.length,
                  classes.length,
                  shape.channels(),
                  shape.height(),
                  shape.width()));
    }
    return draw(classes, DiffusionPipeline.startingFrom(noise, seed), options);
  }

  private INDArray draw(
      int[] classes, DiffusionPipeline.BatchNoise noise, SamplingOptions options) {
    return DiffusionPipeline.draw(
        (first, size) -> denoiser.given(Arrays.copyOfRange(classes, first, first + size)),
        sampler,
        shape,
        classes.length,
        noise,
        options);
  }
}
