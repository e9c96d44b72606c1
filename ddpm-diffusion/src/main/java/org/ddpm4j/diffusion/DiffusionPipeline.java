package org.ddpm4j.diffusion;

import java.util.Objects;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.SamplingListener;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.SamplingOptions;
import org.ddpm4j.diffusion.sampling.SamplingProgress;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * A denoiser, a sampler and a size of images: all that drawing images takes. Thread-safe if the
 * denoiser is, as that of a {@link Unet} is: one pipeline serves any number of requests at once.
 *
 * <p>A sampling ends within one evaluation of the network when its thread is interrupted or its
 * {@link org.ddpm4j.diffusion.sampling.Cancellation} says so. The caller then gets a {@link
 * java.util.concurrent.CancellationException}, and the network is as good as before.
 *
 * @param denoiser the model
 * @param sampler how its estimates become images
 * @param shape of the images
 */
public record DiffusionPipeline(Denoiser denoiser, Sampler sampler, ImageShape shape) {

  /** Images per batch where the caller has no wish. */
  public static final int DEFAULT_BATCH_SIZE = 64;

  /**
   * Checks that nothing is missing.
   *
   * @param denoiser the model
   * @param sampler how its estimates become images
   * @param shape of the images
   * @throws NullPointerException if one is missing
   */
  public DiffusionPipeline {
    Objects.requireNonNull(denoiser, "denoiser");
    Objects.requireNonNull(sampler, "sampler");
    Objects.requireNonNull(shape, "shape");
  }

  /**
   * For a U-Net that predicts ε.
   *
   * @param unet the network
   * @param schedule the one that it was trained with
   * @param sampler how its estimates become images
   * @param shape of the images
   * @return the pipeline
   */
  public static DiffusionPipeline of(
      Unet unet, NoiseSchedule schedule, Sampler sampler, ImageShape shape) {
    return of(unet, Parameterization.EPSILON, schedule, sampler, shape);
  }

  /**
   * For a U-Net.
   *
   * @param unet the network
   * @param parameterization what it predicts
   * @param schedule the one that it was trained with
   * @param sampler how its estimates become images
   * @param shape of the images
   * @return the pipeline
   */
  public static DiffusionPipeline of(
      Unet unet,
      Parameterization parameterization,
      NoiseSchedule schedule,
      Sampler sampler,
      ImageShape shape) {
    return new DiffusionPipeline(
        new NetworkDenoiser(unet::predict, parameterization, schedule), sampler, shape);
  }

  /**
   * Draws images.
   *
   * @param count how many, at least 1
   * @param seed image i of a seed is always the same, however many are drawn with it
   * @return {@code [count,C,H,W]}
   */
  public INDArray sample(int count, long seed) {
    return sample(count, seed, SamplingOptions.defaults());
  }

  /**
   * Draws images in batches.
   *
   * @param count how many, at least 1
   * @param seed image i of a seed is always the same, however many are drawn with it
   * @param batchSize images in one go, at least 1
   * @param observer sees every step of every batch
   * @return {@code [count,C,H,W]}
   */
  public INDArray sample(int count, long seed, int batchSize, SamplingObserver observer) {
    return sample(count, seed, options(count, batchSize, observer));
  }

  /**
   * Draws images.
   *
   * @param count how many, at least 1
   * @param seed image i of a seed is always the same, however many are drawn with it
   * @param options how to go about it
   * @return {@code [count,C,H,W]}
   * @throws java.util.concurrent.CancellationException if the thread was interrupted or the
   *     options' cancellation was requested before all were drawn
   */
  public INDArray sample(int count, long seed, SamplingOptions options) {
    return draw((first, size) -> denoiser, sampler, shape, count, seeded(seed), options);
  }

  /**
   * Draws the images that begin with a given noise, for example that of another program.
   *
   * @param noise {@code [N,C,H,W]}, FLOAT or DOUBLE: what the first state of each image is made of
   * @param seed of the noise that the sampler adds on the way, if it does
   * @param options how to go about it
   * @return {@code [N,C,H,W]}
   * @throws IllegalArgumentException if the noise is of another type, or not of N images of this
   *     shape
   */
  public INDArray sampleFrom(INDArray noise, long seed, SamplingOptions options) {
    return draw(
        (first, size) -> denoiser,
        sampler,
        shape,
        images(noise),
        startingFrom(noise, seed),
        options);
  }

  /** The number of images of a noise. */
  static int images(INDArray noise) {
    return noise.rank() == 0 ? 0 : Math.toIntExact(noise.size(0));
  }

  /** The denoiser of a batch. */
  @FunctionalInterface
  interface BatchDenoiser {
    Denoiser of(int firstImage, int size);
  }

  static SamplingOptions options(int count, int batchSize, SamplingObserver observer) {
    requireCounts(count, batchSize);
    return SamplingOptions.defaults()
        .withBatchSize(batchSize)
        .withListener(SamplingListener.of(observer));
  }

  private static void requireCounts(int count, int batchSize) {
    if (count < 1 || batchSize < 1) {
      throw new IllegalArgumentException(
          "%d images cannot be drawn in batches of %d; both must be at least 1."
              .formatted(count, batchSize));
    }
  }

  /** The noise of a batch. */
  @FunctionalInterface
  interface BatchNoise {
    NoiseSource of(int firstImage, int size);
  }

  static BatchNoise seeded(long seed) {
    return (first, size) -> NoiseSource.seeded(seed, first);
  }

  static BatchNoise startingFrom(INDArray noise, long seed) {
    return (first, size) ->
        NoiseSource.startingFrom(
            noise.get(NDArrayIndex.interval(first, first + size)), NoiseSource.seeded(seed, first));
  }

  static INDArray draw(
      BatchDenoiser denoisers,
      Sampler sampler,
      ImageShape shape,
      int count,
      BatchNoise noise,
      SamplingOptions options) {
    requireCounts(count, options.batchSize());
    INDArray images = Nd4j.create(count, shape.channels(), shape.height(), shape.width());
    boolean complete = false;
    try {
      for (int first = 0; first < count; first += options.batchSize()) {
        int size = Math.min(options.batchSize(), count - first);
        INDArray batch =
            sampler.sample(
                options.cancellation().guard(denoisers.of(first, size)),
                noise.of(first, size),
                observer(options.listener(), first, first + size, count, sampler.steps()),
                size,
                shape.channels(),
                shape.height(),
                shape.width());
        images.get(NDArrayIndex.interval(first, first + size)).assign(batch);
      }
      complete = true;
      return images;
    } finally {
      if (!complete) {
        images.close();
      }
    }
  }

  private static SamplingObserver observer(
      SamplingListener listener, int first, int end, int count, int steps) {
    return (stepsDone, x, x0) ->
        listener.onStep(new SamplingProgress(first, end, count, stepsDone, steps), x, x0);
  }
}
