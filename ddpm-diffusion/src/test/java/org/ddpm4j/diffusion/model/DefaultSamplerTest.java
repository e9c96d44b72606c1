package org.ddpm4j.diffusion.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * On data whose best denoiser is known: of half of the pixels 0.6, of half -0.6, and some spread.
 */
class DefaultSamplerTest {

  private static final double MEAN = 0.6;
  private static final double DEVIATION = 0.1;
  private static final int COUNT = 2000;

  /** E[x0 | x] of two normal distributions of equal weight (a textbook's mixture). */
  private static final Denoiser BEST =
      (x, level) -> {
        double[] values = x.dup('c').data().asDouble();
        double alpha = level.alpha();
        double sigma = level.sigma();
        double variance = alpha * alpha * DEVIATION * DEVIATION + sigma * sigma;
        double[] x0 = new double[values.length];
        double[] eps = new double[values.length];
        for (int i = 0; i < values.length; i++) {
          double odds = Math.tanh(values[i] * alpha * MEAN / variance);
          x0[i] =
              odds * MEAN
                  + alpha * DEVIATION * DEVIATION / variance * (values[i] - alpha * MEAN * odds);
          eps[i] = sigma == 0 ? 0 : (values[i] - alpha * x0[i]) / sigma;
        }
        return new Denoiser.Estimate(
            Nd4j.create(x0, x.shape(), 'c'), Nd4j.create(eps, x.shape(), 'c'));
      };

  private static UnetConfig network(int outChannels) {
    return AnnotatedUnet.resnet(8, 1, List.of(1, 2), 4).withOutChannels(outChannels);
  }

  @Test
  void suitsWhatTheNetworkPredicts() {
    for (Parameterization parameterization : Parameterization.values()) {
      assertThat(DefaultSampler.typeFor(parameterization, network(1)))
          .as(parameterization.name())
          .isEqualTo(
              switch (parameterization) {
                case EPSILON, X0, V, EDM, SCORE -> SamplerType.DPM_SOLVER;
                case FLOW -> SamplerType.FLOW_HEUN;
                case CONSISTENCY -> SamplerType.CONSISTENCY;
                case MEAN -> SamplerType.DDPM;
              });
    }
    assertThat(DefaultSampler.typeFor(Parameterization.EPSILON, network(2)))
        .isEqualTo(SamplerType.DDPM);
  }

  @ParameterizedTest
  @EnumSource
  void everySamplerCanMakeItsNumberOfSteps(SamplerType type) {
    for (int timesteps : new int[] {1000, 10}) {
      NoiseSchedule schedule = ScheduleConfig.of(ScheduleType.COSINE, timesteps).create();
      int steps = DefaultSampler.steps(type, timesteps);
      assertThat(steps).isBetween(1, Math.min(50, timesteps));
      assertThat(SamplerConfig.of(type).create(schedule, steps, X0Constraint.NONE).steps())
          .isGreaterThanOrEqualTo(steps);
    }
  }

  /** Mean, deviation within a mode, and share of the modes are the data's. */
  @ParameterizedTest
  @CsvSource({
    "EPSILON, LINEAR, 1",
    "EPSILON, COSINE, 1",
    "EPSILON, LINEAR, 2",
    "X0, COSINE, 1",
    "V, LINEAR, 1",
    "V, COSINE, 1",
    "EDM, EDM, 1",
    "FLOW, FLOW, 1",
    "MEAN, LINEAR, 1"
  })
  void drawsTheDataOnItsSchedule(
      Parameterization parameterization, ScheduleType type, int outChannels) {
    NoiseSchedule schedule = ScheduleConfig.of(type, 1000).create();
    SamplerType sampler = DefaultSampler.typeFor(parameterization, network(outChannels));
    PathSampler path =
        new DefaultSampler(SamplerConfig.of(sampler), X0Constraint.clip(-1, 1))
            .create(schedule, DefaultSampler.steps(sampler, 1000));
    NoiseSource noise = NoiseSource.seeded(1, 0);
    long[] shape = {COUNT, 1, 1, 1};
    INDArray start = path.initial(noise, shape).castTo(DataType.DOUBLE);

    double[] drawn =
        path.denoise(BEST, start, noise, (done, x, x0) -> {}).dup('c').data().asDouble();

    double above = 0;
    double sum = 0;
    double squares = 0;
    for (double value : drawn) {
      above += value > 0 ? 1.0 / COUNT : 0;
      double size = Math.abs(value);
      sum += size / COUNT;
      squares += size * size / COUNT;
    }
    assertThat(above).isCloseTo(0.5, within(0.04));
    assertThat(sum).isCloseTo(MEAN, within(0.02));
    assertThat(Math.sqrt(squares - sum * sum)).isCloseTo(DEVIATION, within(0.35 * DEVIATION));
  }
}
