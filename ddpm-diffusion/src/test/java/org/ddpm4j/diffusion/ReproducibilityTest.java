package org.ddpm4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.ddpm4j.diffusion.config.DdimConfig;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.diffusion.sampling.Sampler;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.kernels.cpu.FusedKernels;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.layers.LayersChoice;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.Unet2D;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Image i of a seed is the same, with the fused layers to the last bit, in every batch and on any
 * number of threads, with samplers that draw noise in every step and networks whose images are
 * small enough for a single row in a matrix product.
 */
class ReproducibilityTest {

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper(), 1000);
  private static final int COUNT = 16;
  private static final int SEED = 11;
  private static final int STEPS = 3;
  private static final int CLASSES = 3;

  /** Of images in [-1,1]. The first step divides the network's rounding by √ᾱ, which is 0.006. */
  private static final double ROUNDING = 1e-4;

  private static final List<Integer> BATCH_SIZES = List.of(16, 1, 2, 3, 7);
  private static final List<Integer> COUNTS = List.of(1, 2, 3, 7);

  private static final UnetConfig SMALL =
      AnnotatedUnet.resnet(8, 1, List.of(1, 2), 2).withAttention(2, 4);

  /** Wide enough for Winograd's algorithm, down to one square of an image of 4x4. */
  private static final UnetConfig WIDE =
      AnnotatedUnet.resnet(64, 1, List.of(1, 2, 4), 8).withAttention(1, 8);

  private static final UnetConfig OF_CLASSES =
      Unet2D.of(
              1,
              List.of(
                  new Unet2D.Level(32, Unet2D.Block.PLAIN, Unet2D.Block.PLAIN),
                  new Unet2D.Level(64, Unet2D.Block.ATTENTION, Unet2D.Block.ATTENTION)))
          .withClassEmbeddings(CLASSES);

  static Stream<SamplerConfig> samplers() {
    SamplerConfig noisyDdim = DdimConfig.usual().withEta(1);
    return Stream.concat(
        Stream.of(noisyDdim),
        Stream.of(
                SamplerType.DDPM,
                SamplerType.EULER_ANCESTRAL,
                SamplerType.DPM_SOLVER_SDE,
                SamplerType.UNIPC)
            .map(SamplerConfig::of));
  }

  private static float[] floats(INDArray images) {
    return images.dup('c').data().asFloat();
  }

  private static INDArray draw(Unet unet, Sampler sampler, int count, int batchSize) {
    int size = unet.config() == WIDE ? 16 : 8;
    ImageShape shape = new ImageShape(1, size, size);
    SamplingOptions options = SamplingOptions.defaults().withBatchSize(batchSize);
    if (unet.config().classEmbeddings() == 0) {
      return DiffusionPipeline.of(unet, SCHEDULE, sampler, shape).sample(count, SEED, options);
    }
    int[] classes = IntStream.range(0, count).map(i -> i % CLASSES).toArray();
    return new DiffusionPipeline(
            ClassConditionalDenoiser.of(unet, Parameterization.EPSILON, SCHEDULE), sampler, shape)
        .sample(classes, SEED, options);
  }

  private static Sampler sampler(SamplerConfig config) {
    return config.create(SCHEDULE, STEPS, X0Constraint.clip(-1, 1));
  }

  /**
   * Draws 16 images in many ways; each must have the bits that it has in one batch of 16. Every
   * other size and number with more threads than the first: half of them for each, in turn.
   */
  private static void assertSameBits(
      UnetConfig config, SamplerConfig samplerConfig, int... threadCounts) {
    assertSame(config, samplerConfig, LayersChoice.FUSED, 0, threadCounts);
  }

  private static void assertSame(
      UnetConfig config,
      SamplerConfig samplerConfig,
      LayersChoice layers,
      double tolerance,
      int... threadCounts) {
    Sampler sampler = sampler(samplerConfig);
    Parameters weights = Unet.create(config, DataType.FLOAT, 5).parameters();
    float[] expected = null;
    for (int k = 0; k < threadCounts.length; k++) {
      int threads = threadCounts[k];
      try (Unet unet =
          Unet.of(config, weights, new Execution(layers, Precision.FLOAT32, threads))) {
        for (int batchSize : share(BATCH_SIZES, k)) {
          float[] images = floats(draw(unet, sampler, COUNT, batchSize));
          if (expected == null) {
            expected = images;
            assertThat(images).doesNotContain(Float.NaN);
          }
          assertThat(difference(images, expected))
              .as("difference, %d threads, batches of %d", threads, batchSize)
              .isLessThanOrEqualTo(tolerance);
        }
        for (int count : share(COUNTS, k)) {
          float[] images = floats(draw(unet, sampler, count, COUNT));
          float[] first = Arrays.copyOf(expected, images.length);
          assertThat(difference(images, first))
              .as("difference, %d threads, %d images", threads, count)
              .isLessThanOrEqualTo(tolerance);
        }
      }
    }
  }

  /** The largest, which is 0 for the same bits alone. */
  private static double difference(float[] actual, float[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double largest = 0;
    for (int i = 0; i < actual.length; i++) {
      if (Float.floatToIntBits(actual[i]) != Float.floatToIntBits(expected[i])) {
        double difference = Math.abs((double) actual[i] - expected[i]);
        largest = Math.max(largest, Math.max(Double.MIN_VALUE, difference));
      }
    }
    return largest;
  }

  private static List<Integer> share(List<Integer> all, int turn) {
    return IntStream.range(0, all.size())
        .filter(i -> turn == 0 || i % 2 == turn % 2)
        .mapToObj(all::get)
        .toList();
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void fusedLayers(SamplerConfig sampler) {
    assumeThat(FusedKernels.available()).isTrue();
    assertSameBits(SMALL, sampler, 1, 2, 4);
    assertSameBits(OF_CLASSES, sampler, 1, 2, 4);
  }

  @Test
  void fusedLayersOfWideNetworks() {
    assumeThat(FusedKernels.available()).isTrue();
    assertSameBits(WIDE, SamplerConfig.of(SamplerType.DDPM), 1, 2);
  }

  /**
   * On processors without AVX-512, ND4J multiplies one row in another order than several, so that
   * SameDiff's operations give the same image up to rounding.
   */
  @Test
  @Tag("slow")
  void referenceLayers() {
    SamplerConfig ddpm = SamplerConfig.of(SamplerType.DDPM);
    assertSame(SMALL, ddpm, LayersChoice.REFERENCE, ROUNDING, 1);
    assertSame(OF_CLASSES, ddpm, LayersChoice.REFERENCE, ROUNDING, 1);
  }
}
