package org.ddpm4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.pipeline.BatchNoise;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Pipelines that begin with a noise from elsewhere. */
class GivenNoiseTest {

  private static final ImageShape SHAPE = new ImageShape(2, 3, 4);

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper(), 100);

  private static final INDArray NOISE = NoiseSource.seeded(31, 100).gaussian(8, 5, 2, 3, 4);

  private static final int[] CLASSES = {3, 0, 1, 1, 2};

  /** Thinks that an image of class c is c of noise. */
  private static final ClassConditionalDenoiser CLASSED =
      classes ->
          (x, level) -> {
            INDArray x0 = x.dup();
            for (int image = 0; image < classes.length; image++) {
              x0.slice(image).muli(0.2 * classes[image]);
            }
            INDArray eps = x.sub(x0.mul(level.alpha())).divi(level.sigma());
            return new Denoiser.Estimate(x0, eps);
          };

  /** Of any number of images. */
  private static final Denoiser DENOISER =
      (x, level) -> {
        int[] classes = new int[(int) x.size(0)];
        Arrays.fill(classes, 2);
        return CLASSED.withClasses(classes).denoise(x, level);
      };

  private static Sampler sampler(SamplerType type) {
    return SamplerConfig.of(type).create(SCHEDULE, 5, X0Constraint.NONE);
  }

  @ParameterizedTest
  @EnumSource(names = {"DDIM", "DDPM", "EULER_ANCESTRAL"})
  void eachImageComesOfItsNoiseInEveryBatch(SamplerType type) {
    DiffusionPipeline pipeline = new DiffusionPipeline(DENOISER, sampler(type), SHAPE);
    INDArray expected =
        sampler(type)
            .sample(
                DENOISER,
                NoiseSource.startingFrom(NOISE, NoiseSource.seeded(6, 0)),
                SamplingObserver.NONE,
                NOISE.shape());
    for (int batchSize : new int[] {1, 2, 5, 100}) {
      assertThat(pipeline.sampleFrom(NOISE, 6, SamplingOptions.defaults().withBatchSize(batchSize)))
          .as("in batches of %d", batchSize)
          .isEqualTo(expected);
    }
    boolean noisy = type != SamplerType.DDIM;
    assertThat(
            pipeline
                .sampleFrom(NOISE, 7, SamplingOptions.defaults().withBatchSize(5))
                .equals(expected))
        .as("another seed matters to samplers that add noise alone")
        .isEqualTo(!noisy);
  }

  @Test
  void eachClassKeepsItsNoise() {
    Sampler sampler = sampler(SamplerType.DDIM);
    DiffusionPipeline pipeline = new DiffusionPipeline(CLASSED, sampler, SHAPE);
    INDArray expected =
        sampler.sample(
            CLASSED.withClasses(CLASSES),
            NoiseSource.startingFrom(NOISE, NoiseSource.seeded(6, 0)),
            SamplingObserver.NONE,
            NOISE.shape());
    for (int batchSize : new int[] {2, 5}) {
      assertThat(
              pipeline.sampleFrom(
                  NOISE, CLASSES, 6, SamplingOptions.defaults().withBatchSize(batchSize)))
          .isEqualTo(expected);
    }
  }

  @Test
  void refusesNoiseOfOtherImages() {
    Sampler sampler = sampler(SamplerType.DDIM);
    DiffusionPipeline plain = new DiffusionPipeline(DENOISER, sampler, SHAPE);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                plain.sampleFrom(
                    Nd4j.zeros(1, 2, 3, 5), 0, SamplingOptions.defaults().withBatchSize(8)))
        .withMessageContaining("[1, 2, 3, 5] where the images have [1, 2, 3, 4]");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                plain.sampleFrom(
                    Nd4j.scalar(DataType.FLOAT, 1),
                    0,
                    SamplingOptions.defaults().withBatchSize(8)));
    DiffusionPipeline classed = new DiffusionPipeline(CLASSED, sampler, SHAPE);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                classed.sampleFrom(
                    NOISE, new int[] {1}, 0, SamplingOptions.defaults().withBatchSize(8)))
        .withMessageContaining("[5, 2, 3, 4] where 1 image with classes would need [1,2,3,4]");
  }

  /** Of images 1 to 5 of an array, ND4J takes the last for empty. */
  @Test
  void theNoiseMayBePartOfAnArray() {
    INDArray part =
        NoiseSource.seeded(5, 0).gaussian(1, 6, 2, 3, 4).get(NDArrayIndex.interval(1, 6));
    DiffusionPipeline pipeline = new DiffusionPipeline(DENOISER, sampler(SamplerType.DDIM), SHAPE);
    assertThat(pipeline.sampleFrom(part, 6, SamplingOptions.defaults().withBatchSize(1)))
        .isEqualTo(pipeline.sampleFrom(part.dup('c'), 6, SamplingOptions.defaults()));
  }

  @Test
  void noiseOfFewerImagesIsRefused() {
    DiffusionPipeline pipeline = new DiffusionPipeline(DENOISER, sampler(SamplerType.DDIM), SHAPE);
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                pipeline.sampleInBatches(
                    0,
                    9,
                    BatchNoise.startingFrom(NOISE, 1),
                    SamplingOptions.defaults().withBatchSize(3),
                    (first, images) -> {}))
        .withMessage(
            "Images 3 to before 6 are to begin with a given noise, which is that of 5; give as much noise as there are images.");
  }

  @ParameterizedTest
  @EnumSource
  void noiseInDoublePrecisionStaysSo(SamplerType type) {
    Denoiser watched =
        (x, level) -> {
          assertThat(x.dataType()).isEqualTo(DataType.DOUBLE);
          return DENOISER.denoise(x, level);
        };
    INDArray twice =
        sampler(type)
            .sample(
                watched,
                NoiseSource.startingFrom(NOISE.castTo(DataType.DOUBLE), NoiseSource.seeded(6, 0)),
                SamplingObserver.NONE,
                NOISE.shape());
    INDArray once =
        new DiffusionPipeline(DENOISER, sampler(type), SHAPE)
            .sampleFrom(NOISE, 6, SamplingOptions.defaults());
    assertThat(twice.dataType()).isEqualTo(DataType.DOUBLE);
    assertThat(once.castTo(DataType.DOUBLE).distance2(twice) / twice.norm2Number().doubleValue())
        .isLessThan(1e-4);
  }

  /** Who computes in DOUBLE and says so is not asked in another type than before. */
  @ParameterizedTest
  @EnumSource
  void estimatesAreTakenInTheTypeOfTheNoise(SamplerType type) {
    Denoiser exact =
        (x, level) -> {
          assertThat(x.dataType()).isEqualTo(DataType.FLOAT);
          return DENOISER.denoise(x.castTo(DataType.DOUBLE), level);
        };
    Denoiser rounded = (x, level) -> exact.denoise(x, level).castTo(DataType.FLOAT);
    assertThat(new DiffusionPipeline(exact, sampler(type), SHAPE).sample(2, 5))
        .isEqualTo(new DiffusionPipeline(rounded, sampler(type), SHAPE).sample(2, 5));
  }
}
