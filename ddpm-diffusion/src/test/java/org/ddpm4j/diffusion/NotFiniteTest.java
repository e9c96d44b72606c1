package org.ddpm4j.diffusion;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNoException;

import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
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
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Where numbers stop being numbers, sampling says so, with the step. */
class NotFiniteTest {

  private static final ImageShape SHAPE = new ImageShape(1, 2, 2);
  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper(), 100);
  private static final int STEPS = 5;

  /**
   * A network that answers a tenth of what it is given, until one value of a call is not finite.
   */
  private static Network failing(int atCall, float value) {
    int[] calls = new int[1];
    return (x, t) -> {
      INDArray output = x.mul(0.1);
      if (++calls[0] >= atCall) {
        output.putScalar(new long[] {x.size(0) - 1, 0, 1, 1}, value);
      }
      return output;
    };
  }

  private static DiffusionPipeline pipeline(Network network, SamplerType type) {
    return new DiffusionPipeline(
        new NetworkDenoiser(network, Parameterization.EPSILON, SCHEDULE),
        SamplerConfig.of(type).create(SCHEDULE, STEPS, X0Constraint.clip(-1, 1)),
        SHAPE);
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void theStepAndTheTimestepAreSaid(float value) {
    // Five steps at timesteps 80, 60, 40, 20, 0 by the spacing of DDIM.
    assertThatExceptionOfType(NotFiniteException.class)
        .isThrownBy(() -> pipeline(failing(1, value), SamplerType.DDIM).sample(2, 1))
        .withMessageMatching(
            "The network's output is NaN or infinite from step 1 of 5 on \\(timestep \\d+\\);"
                + " check .*\\.");
    assertThatExceptionOfType(NotFiniteException.class)
        .isThrownBy(() -> pipeline(failing(4, value), SamplerType.DDIM).sample(2, 1))
        .withMessageContaining("from step 4 of 5 on (timestep ");
    // In the second batch.
    assertThatExceptionOfType(NotFiniteException.class)
        .isThrownBy(
            () ->
                pipeline(failing(7, value), SamplerType.DDIM)
                    .sample(4, 1, SamplingOptions.defaults().withBatchSize(2)))
        .withMessageContaining("from step 2 of 5 on (timestep ");
  }

  @ParameterizedTest
  @EnumSource
  void noSamplerHidesIt(SamplerType type) {
    assertThatNoException().isThrownBy(() -> pipeline(failing(1000, Float.NaN), type).sample(2, 1));
    assertThatExceptionOfType(NotFiniteException.class)
        .isThrownBy(() -> pipeline(failing(3, Float.NaN), type).sample(2, 1))
        .withMessageContaining("of 5 on (timestep ");
  }

  @Test
  void whatTheNetworkIsGivenIsToldFromWhatItAnswers() {
    INDArray noise = Nd4j.zeros(2, 1, 2, 2);
    noise.putScalar(new long[] {1, 0, 0, 1}, Float.NaN);
    assertThatExceptionOfType(NotFiniteException.class)
        .isThrownBy(
            () ->
                pipeline(failing(1000, 0), SamplerType.DDIM)
                    .sampleFrom(noise, 1, SamplingOptions.defaults()))
        .withMessageStartingWith(
            "The noisy images that the network gets are NaN or infinite from step 1 of 5 on");
  }

  /** Thinks that a tenth of what it is given is the image, until one value is not finite. */
  private static Denoiser own(boolean ofX0, float value) {
    return (xt, level) -> {
      INDArray x0 = xt.mul(0.1);
      INDArray eps = xt.sub(x0.mul(level.alpha())).divi(level.sigma());
      (ofX0 ? x0 : eps).putScalar(new long[] {1, 0, 0, 1}, value);
      return new Denoiser.Estimate(x0, eps);
    };
  }

  private static DiffusionPipeline drawing(Denoiser denoiser, SamplerType type) {
    return new DiffusionPipeline(
        denoiser, SamplerConfig.of(type).create(SCHEDULE, STEPS, X0Constraint.clip(-1, 1)), SHAPE);
  }

  /** No network looks at what it answers. */
  @ParameterizedTest
  @EnumSource
  void whatADenoiserOfOnesOwnAnswersIsLookedAt(SamplerType type) {
    assertThatExceptionOfType(NotFiniteException.class)
        .isThrownBy(() -> drawing(own(true, Float.NaN), type).sample(2, 1))
        .withMessageMatching(
            "The denoiser's estimate of x0 is NaN or infinite from step 1 of 5 on \\(timestep .+\\);"
                + " check what it computes, and what it begins with\\.");
    assertThatExceptionOfType(NotFiniteException.class)
        .isThrownBy(() -> drawing(own(false, Float.POSITIVE_INFINITY), type).sample(2, 1))
        .withMessageStartingWith(
            "The denoiser's estimate of ε is NaN or infinite from step 1 of 5 on (");
  }

  @Test
  void whatADenoiserOfOnesOwnIsGivenIsToldFromWhatItAnswers() {
    INDArray noise = Nd4j.zeros(2, 1, 2, 2);
    noise.putScalar(new long[] {1, 0, 0, 1}, Float.NaN);
    Denoiser half = (xt, level) -> new Denoiser.Estimate(xt.mul(0.5), xt.mul(0.5));
    assertThatExceptionOfType(NotFiniteException.class)
        .isThrownBy(
            () -> drawing(half, SamplerType.DDIM).sampleFrom(noise, 1, SamplingOptions.defaults()))
        .withMessageStartingWith(
            "The noisy images that the denoiser gets are NaN or infinite from step 1 of 5 on");
  }

  @Test
  void whatASamplerOfOnesOwnEndsWithIsLookedAt() {
    Sampler undefined =
        new Sampler() {
          @Override
          public INDArray sample(
              Denoiser denoiser, NoiseSource noise, SamplingObserver observer, long... shape) {
            return Nd4j.valueArrayOf(shape, Double.NaN, DataType.FLOAT);
          }

          @Override
          public int steps() {
            return 3;
          }
        };
    DiffusionPipeline pipeline = new DiffusionPipeline(own(true, 0), undefined, SHAPE);
    assertThatExceptionOfType(NotFiniteException.class)
        .isThrownBy(() -> pipeline.sample(2, 1))
        .withMessageStartingWith(
            "What the sampler ends with is NaN or infinite after step 3 of 3; check ");
  }
}
