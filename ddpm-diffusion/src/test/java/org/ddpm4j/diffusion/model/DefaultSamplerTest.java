package org.ddpm4j.diffusion.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.apache.commons.math3.distribution.NormalDistribution;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
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

    double[] drawn =
        draw(
            DefaultSampler.config(sampler, parameterization, schedule),
            schedule,
            DefaultSampler.steps(sampler, 1000));

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
    double tolerance = sampler == SamplerType.DDPM ? 0.35 : 0.15;
    assertThat(Math.sqrt(squares - sum * sum)).isCloseTo(DEVIATION, within(tolerance * DEVIATION));
  }

  /** By the distance of the quantiles of what is drawn from those of the data. */
  @ParameterizedTest
  @EnumSource(names = {"LINEAR", "SCALED_LINEAR", "SIGMOID", "COSINE"})
  void levelsInLambdaAreNearerToTheDataThanTimesteps(ScheduleType type) {
    NoiseSchedule schedule = ScheduleConfig.of(type, 1000).create();
    SamplerConfig usual =
        DefaultSampler.config(SamplerType.DPM_SOLVER, Parameterization.EPSILON, schedule);
    int steps = DefaultSampler.steps(SamplerType.DPM_SOLVER, 1000);

    double distance = distanceFromData(draw(usual, schedule, steps));

    assertThat(distance)
        .isLessThan(
            0.8
                * distanceFromData(
                    draw(SamplerConfig.of(SamplerType.DPM_SOLVER), schedule, steps)));
  }

  /** The table of docs/samplers.md, to its last digit. */
  @Test
  void thePagesDistancesAreThese() throws IOException {
    Map<String, List<String>> rows = new LinkedHashMap<>();
    for (String line : Files.readAllLines(Path.of("..", "docs", "samplers.md"))) {
      Matcher row = Pattern.compile("\\| `([a-z-]+)` \\|((?: [*0-9.]+ \\|){3})").matcher(line);
      if (row.matches()) {
        rows.put(row.group(1), List.of(row.group(2).replaceAll("[* ]", "").split("\\|")));
      }
    }
    assertThat(rows).hasSize(6);
    rows.forEach(
        (name, cells) -> {
          ScheduleType type = ScheduleType.valueOf(name.toUpperCase(Locale.ROOT).replace('-', '_'));
          NoiseSchedule schedule = ScheduleConfig.of(type, 1000).create();
          SamplerConfig dpm = SamplerConfig.of(SamplerType.DPM_SOLVER);
          List<LevelSpacing> columns =
              List.of(LevelSpacing.TIMESTEPS, LevelSpacing.KARRAS, LevelSpacing.LAMBDA);
          for (int i = 0; i < columns.size(); i++) {
            double distance = distanceFromData(draw(dpm.withLevels(columns.get(i)), schedule, 20));
            assertThat(distance)
                .as("%s at %s", name, columns.get(i))
                .isCloseTo(Double.parseDouble(cells.get(i)), within(0.000501));
          }
        });
  }

  @Test
  void timestepsAreKeptWhereLambdaHasNoEndAndWhereLevelsAreTheNetworksOwn() {
    NoiseSchedule noSignal =
        ScheduleConfig.of(ScheduleType.LINEAR, 1000).withZeroTerminalSnr().create();
    NoiseSchedule karras = ScheduleConfig.of(ScheduleType.EDM, 1000).create();
    SamplerConfig own = SamplerConfig.of(SamplerType.DPM_SOLVER);
    assertThat(DefaultSampler.config(SamplerType.DPM_SOLVER, Parameterization.V, noSignal))
        .isEqualTo(own);
    assertThat(DefaultSampler.config(SamplerType.DPM_SOLVER, Parameterization.EDM, karras))
        .isEqualTo(own);
  }

  /** Also of chains of a single timestep, and of those that end without signal. */
  @ParameterizedTest
  @EnumSource
  void everyScheduleIsDrawnOnByDefault(ScheduleType type) {
    for (int timesteps : new int[] {1, 2, 3, 10, 1000}) {
      NoiseSchedule schedule;
      try {
        schedule = ScheduleConfig.of(type, timesteps).create();
      } catch (IllegalArgumentException e) {
        // Some betas leave their range in short chains.
        assertThat(timesteps).isLessThan(1000);
        continue;
      }
      SamplerConfig usual =
          DefaultSampler.config(SamplerType.DPM_SOLVER, Parameterization.V, schedule);
      for (int steps = 1; steps <= Math.min(20, timesteps); steps++) {
        assertThat(draw(usual, schedule, steps)).doesNotContain(Double.NaN);
      }
    }
  }

  @Test
  void aSingleStepIsFromTheNoisiestTimestep() {
    NoiseSchedule schedule = ScheduleConfig.of(ScheduleType.LINEAR, 1000).create();
    SamplerConfig usual =
        DefaultSampler.config(SamplerType.DPM_SOLVER, Parameterization.EPSILON, schedule);
    assertThat(draw(usual, schedule, 1))
        .containsExactly(draw(SamplerConfig.of(SamplerType.DPM_SOLVER), schedule, 1), within(1e-9));
  }

  /** From the quantiles of the noise rather than random noise, so that few are enough. */
  private static double[] draw(SamplerConfig config, NoiseSchedule schedule, int steps) {
    PathSampler path = new DefaultSampler(config, X0Constraint.clip(-1, 1)).create(schedule, steps);
    long[] shape = {COUNT, 1, 1, 1};
    NoiseSource noise = NoiseSource.seeded(1, 0);
    double deviation = path.initial(noise, shape).castTo(DataType.DOUBLE).stdNumber().doubleValue();
    NormalDistribution normal = new NormalDistribution(0, deviation);
    INDArray start =
        Nd4j.create(
            IntStream.range(0, COUNT)
                .mapToDouble(i -> normal.inverseCumulativeProbability((i + 0.5) / COUNT))
                .toArray(),
            shape,
            'c');
    return path.denoise(BEST, start, noise, (done, x, x0) -> {}).dup('c').data().asDouble();
  }

  private static double distanceFromData(double[] drawn) {
    Arrays.sort(drawn);
    NormalDistribution mode = new NormalDistribution(MEAN, DEVIATION);
    double sum = 0;
    for (int i = 0; i < COUNT / 2; i++) {
      double quantile = mode.inverseCumulativeProbability((i + 0.5) / (COUNT / 2.0));
      sum += Math.pow(drawn[COUNT / 2 + i] - quantile, 2);
      sum += Math.pow(drawn[COUNT / 2 - 1 - i] + quantile, 2);
    }
    return Math.sqrt(sum / COUNT);
  }
}
