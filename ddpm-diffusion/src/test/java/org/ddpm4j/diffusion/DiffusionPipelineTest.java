package org.ddpm4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.pipeline.BatchNoise;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.pipeline.LatentDecoder;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.TutorialUnet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Which classes a pipeline draws, and what pictures it makes. */
class DiffusionPipelineTest {

  private static final ImageShape SHAPE = new ImageShape(1, 2, 3);

  /** An image of class c is c/4 everywhere. */
  private static final ClassConditionalDenoiser QUARTERS =
      classes ->
          (x, level) -> {
            INDArray x0 = Nd4j.zeros(x.shape());
            for (int i = 0; i < classes.length; i++) {
              x0.slice(i).assign(classes[i] / 4.0);
            }
            return new Denoiser.Estimate(x0, Nd4j.zeros(x.shape()));
          };

  /** What a sampler of one step ends with. */
  private interface End {
    INDArray images(Denoiser denoiser, NoiseSource noise, long... shape);
  }

  private static Sampler oneStep(End end) {
    return new Sampler() {
      @Override
      public int steps() {
        return 1;
      }

      @Override
      public INDArray sample(
          Denoiser denoiser, NoiseSource noise, SamplingObserver observer, long... shape) {
        return end.images(denoiser, noise, shape);
      }
    };
  }

  /** Takes the first estimate of x0 for the image. */
  private static final Sampler ONE_STEP =
      oneStep(
          (denoiser, noise, shape) ->
              denoiser.denoise(noise.initial(0, shape), NoiseLevel.CLEAN).x0());

  /** Which another part of the program may have set for its own purposes. */
  @Test
  void imagesDoNotDependOnNd4jsDefaultType() {
    Sampler third =
        oneStep((denoiser, noise, shape) -> Nd4j.valueArrayOf(shape, 1 / 3.0, DataType.FLOAT));
    LatentDecoder same =
        new LatentDecoder() {
          @Override
          public ImageShape shape() {
            return SHAPE;
          }

          @Override
          public INDArray decode(INDArray latents) {
            return latents.dup();
          }
        };
    DataType dataType = Nd4j.dataType();
    DataType floatType = Nd4j.defaultFloatingPointType();
    Nd4j.setDefaultDataTypes(DataType.FLOAT16, DataType.FLOAT16);
    try {
      for (Optional<LatentDecoder> decoder :
          List.of(Optional.of(same), Optional.<LatentDecoder>empty())) {
        INDArray images =
            new DiffusionPipeline(QUARTERS, third, SHAPE, decoder, Normalization.SYMMETRIC, i -> 0)
                .sample(2, 7);
        assertThat(images.dataType()).isEqualTo(DataType.FLOAT);
        assertThat(images.getFloat(1, 0, 1, 2)).isEqualTo(1 / 3f);
      }
    } finally {
      Nd4j.setDefaultDataTypes(dataType, floatType);
    }
  }

  /** Of a shape that would be drawn in silence, since the images of a sampler are copied. */
  @Test
  void refusesEstimatesOfAnotherShape() {
    Denoiser small =
        (x, level) -> new Denoiser.Estimate(Nd4j.zeros(1, 1, 1, 1), Nd4j.zeros(x.shape()));
    assertThatIllegalStateException()
        .isThrownBy(() -> new DiffusionPipeline(small, ONE_STEP, SHAPE).sample(1, 0))
        .withMessage(
            "The denoiser's estimate of x0 has the shape [1, 1, 1, 1] where the images have [1, 1, 2, 3]; it must have the same.");
    Denoiser oneNoise =
        (x, level) -> new Denoiser.Estimate(Nd4j.zeros(x.shape()), Nd4j.zeros(1, 1, 2, 3));
    assertThatIllegalStateException()
        .isThrownBy(() -> new DiffusionPipeline(oneNoise, ONE_STEP, SHAPE).sample(2, 0))
        .withMessageContaining("estimate of ε has the shape [1, 1, 2, 3]", "[2, 1, 2, 3]");
    assertThatNullPointerException()
        .isThrownBy(() -> new DiffusionPipeline((x, level) -> null, ONE_STEP, SHAPE).sample(1, 0))
        .withMessage("the denoiser's estimate");
  }

  private static Sampler endingWith(INDArray images) {
    return oneStep((denoiser, noise, shape) -> images);
  }

  @Test
  void refusesSamplersThatEndWithAnythingElse() {
    ClassConditionalDenoiser any = QUARTERS;
    assertThatIllegalStateException()
        .isThrownBy(
            () ->
                new DiffusionPipeline(any, endingWith(Nd4j.zeros(1, 1, 2, 1)), SHAPE)
                    .sample(new int[] {1}, 0))
        .withMessage(
            "What the sampler ends with has the shape [1, 1, 2, 1] where the images have [1, 1, 2, 3]; it must have the same.");
    assertThatNullPointerException()
        .isThrownBy(
            () -> new DiffusionPipeline(any, endingWith(null), SHAPE).sample(new int[] {1}, 0))
        .withMessage("the sampler's images");
  }

  private static double[] firstPixels(INDArray images) {
    double[] pixels = new double[(int) images.size(0)];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = images.getDouble(i, 0, 0, 0);
    }
    return pixels;
  }

  @Test
  void classesAreThoseOfTheCallerOrElseThePipelines() {
    DiffusionPipeline pipeline =
        new DiffusionPipeline(QUARTERS, ONE_STEP, SHAPE).withClassOf(i -> i % 3);
    SamplingOptions batches = SamplingOptions.defaults().withBatchSize(2);
    assertThat(firstPixels(pipeline.sample(5, 0, batches))).containsExactly(0, 0.25, 0.5, 0, 0.25);
    assertThat(firstPixels(pipeline.sampleFrom(Nd4j.zeros(4, 1, 2, 3), 0, batches)))
        .containsExactly(0, 0.25, 0.5, 0);
    assertThat(firstPixels(pipeline.sample(new int[] {4, 1, 1}, 0, batches)))
        .containsExactly(1, 0.25, 0.25);
  }

  /** Each image is its noise plus its class; drawn from number 3 on, they are the later ones. */
  @Test
  void batchesAreHandedOverOneByOneAndAreThoseOfTheWhole() throws IOException {
    Sampler noisy =
        oneStep(
            (denoiser, noise, shape) -> {
              INDArray start = noise.initial(0, shape);
              return start.add(denoiser.denoise(start, NoiseLevel.CLEAN).x0());
            });
    DiffusionPipeline pipeline =
        new DiffusionPipeline(QUARTERS, noisy, SHAPE).withClassOf(i -> i % 3);
    INDArray whole = pipeline.sample(8, 5);
    List<Integer> firsts = new ArrayList<>();
    List<Integer> sizes = new ArrayList<>();
    pipeline.sampleInBatches(
        3,
        8,
        BatchNoise.seeded(5),
        SamplingOptions.defaults().withBatchSize(2),
        (first, images) -> {
          firsts.add(first);
          int size = (int) images.size(0);
          sizes.add(size);
          assertThat(images)
              .isEqualTo(whole.get(NDArrayIndex.interval(first, first + size)).dup('c'));
        });
    assertThat(firsts).containsExactly(3, 5, 7);
    assertThat(sizes).containsExactly(2, 2, 1);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                pipeline.sampleInBatches(
                    3, 3, BatchNoise.seeded(5), SamplingOptions.defaults(), (first, images) -> {}))
        .withMessageContaining("no images from 3");
  }

  /** The number after the batch would be negative. */
  @ParameterizedTest
  @CsvSource({"5, 10, 2147483647, 1", "2147483644, 2147483647, 2, 2"})
  void batchesThatWouldEndBeyondAllNumbers(int begin, int end, int batchSize, int batches)
      throws IOException {
    DiffusionPipeline pipeline =
        new DiffusionPipeline(QUARTERS, ONE_STEP, SHAPE).withClassOf(i -> 1);
    List<Long> sizes = new ArrayList<>();
    pipeline.sampleInBatches(
        begin,
        end,
        BatchNoise.seeded(5),
        SamplingOptions.defaults().withBatchSize(batchSize),
        (first, images) -> sizes.add(images.size(0)));
    assertThat(sizes).hasSize(batches);
    assertThat(sizes.stream().mapToLong(Long::longValue).sum()).isEqualTo(end - begin);
  }

  /** All of these together would take 48 GB. */
  @Test
  void howManyImagesThereAreTakesNoMemory() {
    DiffusionPipeline pipeline =
        new DiffusionPipeline(QUARTERS, ONE_STEP, SHAPE).withClassOf(i -> i % 3);
    int last = 300;
    assertThatIOException()
        .isThrownBy(
            () ->
                pipeline.sampleInBatches(
                    0,
                    2_000_000_000,
                    BatchNoise.seeded(5),
                    SamplingOptions.defaults().withBatchSize(100),
                    (first, images) -> {
                      if (first == last) {
                        throw new IOException("enough");
                      }
                    }))
        .withMessage("enough");
  }

  @Test
  void whatABatchsConsumerCannotWriteEndsTheSampling() {
    int[] batches = new int[1];
    DiffusionPipeline pipeline =
        new DiffusionPipeline(QUARTERS, ONE_STEP, SHAPE).withClassOf(i -> 0);
    assertThatIOException()
        .isThrownBy(
            () ->
                pipeline.sampleInBatches(
                    0,
                    6,
                    BatchNoise.seeded(5),
                    SamplingOptions.defaults().withBatchSize(2),
                    (first, images) -> {
                      batches[0]++;
                      throw new IOException("full");
                    }));
    assertThat(batches[0]).isEqualTo(1);
  }

  @Test
  void aClassThatNobodyNamesIsNotGuessed() {
    DiffusionPipeline pipeline = new DiffusionPipeline(QUARTERS, ONE_STEP, SHAPE);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> pipeline.sample(2, 0))
        .withMessageContaining("The class of image 0 is not said");
    assertThat(firstPixels(pipeline.sample(new int[] {2}, 0))).containsExactly(0.5);
  }

  @Test
  void allRowsOfTheClassEmbeddingTakeTurns() {
    try (Unet unet =
        Unet.create(TutorialUnet.of(1, 10).withClassEmbeddings(3), DataType.FLOAT, 0)) {
      DiffusionPipeline pipeline =
          DiffusionPipeline.of(unet, NoiseSchedule.of(0.1, 0.2), ONE_STEP, new ImageShape(1, 8, 8));
      assertThat(pipeline.classOf().applyAsInt(0)).isZero();
      assertThat(pipeline.classOf().applyAsInt(5)).isEqualTo(2);
    }
  }

  @Test
  void picturesAreTheImagesAtThePipelinesNormalization() {
    Normalization bright = new Normalization(List.of(0.5), List.of(0.25));
    DiffusionPipeline pipeline =
        new DiffusionPipeline(QUARTERS, ONE_STEP, SHAPE, bright, i -> 4 * i);
    List<BufferedImage> pictures = pipeline.pictures(2, 0);
    assertThat(pictures).hasSize(2);
    assertThat(pictures.get(1).getWidth()).isEqualTo(3);
    assertThat(pictures.get(1).getHeight()).isEqualTo(2);
    // 0 is the mean, 1 a standard deviation more: 0.75 of 255.
    assertThat(pictures.get(0).getRaster().getSample(2, 1, 0)).isEqualTo(128);
    assertThat(pictures.get(1).getRaster().getSample(0, 0, 0)).isEqualTo(191);
    assertThat(pipeline.pictures(new int[] {4}, 0, SamplingOptions.defaults()).get(0))
        .satisfies(picture -> assertThat(picture.getRaster().getSample(0, 0, 0)).isEqualTo(191));
    assertThat(Images.toPictures(pipeline.sample(2, 0), bright)).hasSize(2);
  }

  @Test
  void imagesOfTwoChannelsMakeNoPictures() {
    DiffusionPipeline pipeline =
        new DiffusionPipeline(QUARTERS, ONE_STEP, new ImageShape(2, 2, 3)).withClassOf(i -> i);
    assertThat(pipeline.sample(1, 0).shape()).containsExactly(1, 2, 2, 3);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> pipeline.pictures(1, 0))
        .withMessageContaining("Images of 2 channels cannot become pictures");
  }
}
