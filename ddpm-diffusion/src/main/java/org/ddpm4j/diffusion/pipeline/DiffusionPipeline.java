package org.ddpm4j.diffusion.pipeline;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.ClassConditionalDenoiser;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.NotFiniteException;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.cpu.BackendLookup;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.INDArrayIndex;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * A denoiser, a sampler and what the images are like: all that drawing images takes. Thread-safe if
 * the denoiser is, as that of a {@link Unet} is: one pipeline serves any number of requests at
 * once.
 *
 * <p>A sampling ends within one evaluation of the network when its thread is interrupted or its
 * {@link org.ddpm4j.diffusion.pipeline.Cancellation} says so. The caller then gets a {@link
 * java.util.concurrent.CancellationException}, and the network is as good as before.
 *
 * <p>With a decoder the sampler works on latents (Rombach et al. 2022): noise and what listeners
 * are shown are of their shape, and what is drawn is decoded at the end.
 *
 * @param denoiser the model
 * @param sampler how its estimates become images
 * @param shape of what the sampler works on: of the images, or of latents
 * @param decoder makes images of latents; empty where the sampler works on images
 * @param normalization how the model sees pixels
 * @param classOf the class of image i where the caller names no classes
 */
public record DiffusionPipeline(
    ClassConditionalDenoiser denoiser,
    Sampler sampler,
    ImageShape shape,
    Optional<LatentDecoder> decoder,
    Normalization normalization,
    IntUnaryOperator classOf) {

  /** Images per batch unless another number is chosen. */
  public static final int DEFAULT_BATCH_SIZE = 64;

  /** How many are decoded before it is asked again whether to go on. */
  private static final int DECODED_AT_ONCE = 8;

  static {
    BackendLookup.settle();
  }

  /**
   * Checks that nothing is missing.
   *
   * @throws NullPointerException if one is missing
   * @throws IllegalArgumentException if the normalisation is for images of another number of
   *     channels
   */
  public DiffusionPipeline {
    Objects.requireNonNull(denoiser, "denoiser");
    Objects.requireNonNull(sampler, "sampler");
    Objects.requireNonNull(shape, "shape");
    Objects.requireNonNull(decoder, "decoder");
    Objects.requireNonNull(classOf, "classOf");
    Objects.requireNonNull(normalization, "normalization");
    normalization.requireChannels(imageShape(shape, decoder).channels());
  }

  /**
   * Of a model of images.
   *
   * @param denoiser the model
   * @param sampler how its estimates become images
   * @param shape of the images
   * @param normalization how the model sees pixels
   * @param classOf the class of image i where the caller names no classes
   * @throws IllegalArgumentException if the normalisation is for images of another number of
   *     channels
   */
  public DiffusionPipeline(
      ClassConditionalDenoiser denoiser,
      Sampler sampler,
      ImageShape shape,
      Normalization normalization,
      IntUnaryOperator classOf) {
    this(denoiser, sampler, shape, Optional.empty(), normalization, classOf);
  }

  /**
   * Of an unconditional model of images in [-1,1].
   *
   * @param denoiser the model
   * @param sampler how its estimates become images
   * @param shape of the images
   */
  public DiffusionPipeline(Denoiser denoiser, Sampler sampler, ImageShape shape) {
    this(
        ClassConditionalDenoiser.unconditional(denoiser),
        sampler,
        shape,
        Normalization.SYMMETRIC,
        i -> 0);
  }

  /**
   * Of a class-conditional model of images in [-1,1], whose classes the caller names each time.
   *
   * @param denoiser the model
   * @param sampler how its estimates become images
   * @param shape of the images
   */
  public DiffusionPipeline(ClassConditionalDenoiser denoiser, Sampler sampler, ImageShape shape) {
    this(denoiser, sampler, shape, Normalization.SYMMETRIC, DiffusionPipeline::unknownClass);
  }

  private static int unknownClass(int image) {
    throw new IllegalArgumentException(
        Text.format(
            "The class of image %d is not said; give the classes of all images to sample, or the pipeline by withClassOf.",
            image));
  }

  /**
   * For a U-Net of images in [-1,1] that predicts ε. All rows of a class embedding take turns.
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
   * For a U-Net of images in [-1,1]. All rows of a class embedding take turns.
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
    Objects.requireNonNull(unet, "unet");
    int classes = Math.max(1, unet.config().classEmbeddings());
    return new DiffusionPipeline(
        ClassConditionalDenoiser.ofAny(unet, parameterization, schedule),
        sampler,
        shape,
        Normalization.SYMMETRIC,
        i -> i % classes);
  }

  /**
   * The same pipeline with other classes.
   *
   * @param newClassOf the class of image i where the caller names no classes
   * @return a new pipeline
   */
  public DiffusionPipeline withClassOf(IntUnaryOperator newClassOf) {
    return new DiffusionPipeline(denoiser, sampler, shape, decoder, normalization, newClassOf);
  }

  /**
   * The size of the images that are drawn.
   *
   * @return {@link #shape}, or that of the decoded latents
   */
  public ImageShape imageShape() {
    return imageShape(shape, decoder);
  }

  private static ImageShape imageShape(ImageShape shape, Optional<LatentDecoder> decoder) {
    return decoder.map(LatentDecoder::shape).orElse(shape);
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
    Objects.requireNonNull(options, "options");
    requireCounts(count, options.batchSize());
    return sample(classes(count), seed, options);
  }

  /**
   * Draws images of given classes.
   *
   * @param classes of the images to draw, at least one
   * @param seed image i of a seed begins with the same noise, whatever its class
   * @return {@code [classes,C,H,W]}
   */
  public INDArray sample(int[] classes, long seed) {
    return sample(classes, seed, SamplingOptions.defaults());
  }

  /**
   * Draws images of given classes in batches.
   *
   * @param classes of the images to draw, at least one
   * @param seed image i of a seed begins with the same noise, whatever its class
   * @param batchSize images in one go, at least 1
   * @param observer sees every step of every batch
   * @return {@code [classes,C,H,W]}
   */
  public INDArray sample(int[] classes, long seed, int batchSize, SamplingObserver observer) {
    Objects.requireNonNull(classes, "classes");
    return sample(classes, seed, options(classes.length, batchSize, observer));
  }

  /**
   * Draws images of given classes.
   *
   * @param classes of the images to draw, at least one
   * @param seed image i of a seed begins with the same noise, whatever its class
   * @param options how to go about it
   * @return {@code [classes,C,H,W]}
   * @throws java.util.concurrent.CancellationException if the thread was interrupted or the
   *     options' cancellation was requested before all were drawn
   */
  public INDArray sample(int[] classes, long seed, SamplingOptions options) {
    Objects.requireNonNull(classes, "classes");
    Objects.requireNonNull(options, "options");
    return sample(classes, BatchNoise.seeded(seed), options);
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
    Objects.requireNonNull(options, "options");
    int count = images(noise);
    requireCounts(count, options.batchSize());
    return sampleFrom(noise, classes(count), seed, options);
  }

  /**
   * Draws the images of given classes that begin with a given noise.
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
    Objects.requireNonNull(classes, "classes");
    if (images(noise) != classes.length) {
      throw new IllegalArgumentException(
          Text.format(
              "The noise has the shape %s where %d image(s) with classes would need [%d,%d,%d,%d].",
              Arrays.toString(noise.shape()),
              classes.length,
              classes.length,
              shape.channels(),
              shape.height(),
              shape.width()));
    }
    return sample(classes, BatchNoise.startingFrom(noise, seed), options);
  }

  /**
   * Draws images and hands over each batch when it is ready, so that memory does not grow with
   * their number and what was drawn is not lost when a later batch fails.
   *
   * @param first the number of the first image, at least 0
   * @param end the number after that of the last; images {@code first} to {@code end - 1} are those
   *     that {@link #sample} would draw of so many
   * @param noise of the images
   * @param options how to go about it
   * @param consumer takes the batches in order
   * @throws IOException if the consumer throws it
   * @throws IllegalArgumentException if there is no image between the two numbers
   * @throws java.util.concurrent.CancellationException as for {@link #sample}
   */
  public void sampleInBatches(
      int first, int end, BatchNoise noise, SamplingOptions options, BatchConsumer consumer)
      throws IOException {
    Objects.requireNonNull(noise, "noise");
    Objects.requireNonNull(options, "options");
    Objects.requireNonNull(consumer, "consumer");
    if (first < 0 || end <= first) {
      throw new IllegalArgumentException(
          Text.format(
              "There are no images from %d to before %d; begin at 0 or above, and end beyond that.",
              first, end));
    }
    int size;
    for (int begin = first; begin < end; begin += size) {
      size = Math.min(options.batchSize(), end - begin);
      int[] classes = IntStream.range(begin, begin + size).map(classOf).toArray();
      consumer.accept(begin, batch(classes, begin, end, noise, options));
    }
  }

  /**
   * Draws pictures.
   *
   * @param count how many, at least 1
   * @param seed picture i of a seed is always the same, however many are drawn with it
   * @return a picture for each image, grey or in colour
   * @throws IllegalArgumentException if images of so many channels make no pictures
   */
  public List<BufferedImage> pictures(int count, long seed) {
    return pictures(count, seed, SamplingOptions.defaults());
  }

  /**
   * Draws pictures.
   *
   * @param count how many, at least 1
   * @param seed picture i of a seed is always the same, however many are drawn with it
   * @param options how to go about it
   * @return a picture for each image, grey or in colour
   * @throws IllegalArgumentException if images of so many channels make no pictures
   * @throws java.util.concurrent.CancellationException as for {@link #sample}
   */
  public List<BufferedImage> pictures(int count, long seed, SamplingOptions options) {
    Objects.requireNonNull(options, "options");
    requireCounts(count, options.batchSize());
    return pictures(classes(count), seed, options);
  }

  /**
   * Draws pictures of given classes.
   *
   * @param classes of the pictures to draw, at least one
   * @param seed picture i of a seed begins with the same noise, whatever its class
   * @param options how to go about it
   * @return a picture for each class, grey or in colour
   * @throws IllegalArgumentException if images of so many channels make no pictures
   * @throws java.util.concurrent.CancellationException as for {@link #sample}
   */
  public List<BufferedImage> pictures(int[] classes, long seed, SamplingOptions options) {
    Images.requirePictures(imageShape().channels());
    // Memory outside of the heap: the garbage collector sees small objects only, and may wait long.
    try (INDArray images = sample(classes, seed, options)) {
      return Images.toPictures(images, normalization);
    }
  }

  /**
   * A caller's own denoiser may answer anything; of another shape, or what is no number, would be
   * drawn in silence, and of another type the state would take it on.
   */
  private static Denoiser checked(Denoiser denoiser) {
    return (xt, level) -> {
      Denoiser.Estimate estimate =
          Objects.requireNonNull(denoiser.denoise(xt, level), "the denoiser's estimate");
      requireShape("The denoiser's estimate of x0", estimate.x0(), xt.shape());
      requireShape("The denoiser's estimate of ε", estimate.eps(), xt.shape());
      estimate
          .varianceInterpolation()
          .ifPresent(v -> requireShape("The denoiser's estimate of the variance", v, xt.shape()));
      NotFiniteException.requireFinite(xt, estimate, level.t());
      return estimate.castTo(xt.dataType());
    };
  }

  private static void requireShape(String what, INDArray found, long... expected) {
    if (!Arrays.equals(found.shape(), expected)) {
      throw new IllegalStateException(
          Text.format(
              "%s has the shape %s where the images have %s; it must have the same.",
              what, Arrays.toString(found.shape()), Arrays.toString(expected)));
    }
  }

  private int[] classes(int count) {
    return IntStream.range(0, count).map(classOf).toArray();
  }

  /** The number of images of a noise. */
  private static int images(INDArray noise) {
    Objects.requireNonNull(noise, "noise");
    return noise.rank() == 0 ? 0 : Math.toIntExact(noise.size(0));
  }

  private static SamplingOptions options(int count, int batchSize, SamplingObserver observer) {
    requireCounts(count, batchSize);
    return SamplingOptions.defaults()
        .withBatchSize(batchSize)
        .withListener(SamplingListener.of(observer));
  }

  private static void requireCounts(int count, int batchSize) {
    if (count < 1 || batchSize < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "%d images cannot be drawn in batches of %d; both must be at least 1.",
              count, batchSize));
    }
  }

  private INDArray sample(int[] classes, BatchNoise noise, SamplingOptions options) {
    int count = classes.length;
    requireCounts(count, options.batchSize());
    INDArray images = Nd4j.create(DataType.FLOAT, imageShape().ofBatch(count));
    boolean complete = false;
    try {
      for (int first = 0; first < count; first += options.batchSize()) {
        int size = Math.min(options.batchSize(), count - first);
        int[] ofBatch = Arrays.copyOfRange(classes, first, first + size);
        INDArray batch = batch(ofBatch, first, count, noise, options);
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

  private INDArray batch(
      int[] classes, int first, int count, BatchNoise noise, SamplingOptions options) {
    int size = classes.length;
    INDArray drawn =
        sample(
            options.cancellation().guard(denoiser.withClasses(classes)),
            noise.of(first, size),
            observer(options.listener(), first, first + size, count, sampler.steps()),
            size);
    return decoder.isEmpty() ? drawn : decoded(drawn, decoder.get(), options.cancellation());
  }

  private static INDArray decoded(
      INDArray latents, LatentDecoder decoder, Cancellation cancellation) {
    int count = (int) latents.size(0);
    INDArray images = Nd4j.createUninitialized(DataType.FLOAT, decoder.shape().ofBatch(count));
    for (int first = 0; first < count; first += DECODED_AT_ONCE) {
      cancellation.check();
      INDArrayIndex some = NDArrayIndex.interval(first, Math.min(count, first + DECODED_AT_ONCE));
      try (INDArray part = decoder.decode(latents.get(some).dup('c'))) {
        images.get(some).assign(part);
      }
    }
    if (latents.closeable()) {
      latents.close();
    }
    return images;
  }

  /** Draws a batch, and says in which step it fails. */
  private INDArray sample(Denoiser model, NoiseSource noise, SamplingObserver observer, int size) {
    int[] done = new int[1];
    long[] batch = shape.ofBatch(size);
    INDArray drawn;
    try {
      drawn =
          sampler.sample(
              checked(model),
              noise,
              (stepsDone, x, x0) -> {
                done[0] = stepsDone;
                observer.onStep(stepsDone, x, x0);
              },
              batch);
    } catch (NotFiniteException e) {
      throw e.inStep(done[0] + 1, sampler.steps());
    }
    Objects.requireNonNull(drawn, "the sampler's images");
    requireShape("What the sampler ends with", drawn, batch);
    NotFiniteException.requireFiniteImages(drawn, sampler.steps());
    return drawn;
  }

  private static SamplingObserver observer(
      SamplingListener listener, int first, int end, int count, int steps) {
    return (stepsDone, x, x0) ->
        listener.onStep(new SamplingProgress(first, end, count, stepsDone, steps), x, x0);
  }
}
