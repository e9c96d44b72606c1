package org.ddpm4j.diffusion.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.KarrasVeConfig;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.config.ScoreSdeConfig;
import org.ddpm4j.diffusion.diffusers.DiffusersScheduler;
import org.ddpm4j.diffusion.diffusers.X0Clipping;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.schedules.EdmSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.VarianceExplodingSchedule;
import org.ddpm4j.schedules.ZeroTerminalSnrSchedule;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Samplers of Song et al. 2021b and of Karras et al. 2022 with churn, on Gaussian data. */
class VarianceExplodingSamplersTest {

  private static final NoiseSchedule SCHEDULE =
      NoiseSchedule.of(new VarianceExplodingSchedule(0.01, 50), 1000);

  private static final double MEAN = 0.4;
  private static final double DEVIATION = 0.3;

  /** Of N(m, s²): the best estimate of x0 from z = x0 + ρ ε. */
  private static final Denoiser GAUSSIAN =
      (x, level) -> {
        INDArray z = x.div(level.alpha());
        double share = DEVIATION * DEVIATION / (DEVIATION * DEVIATION + level.rho() * level.rho());
        INDArray x0 = z.sub(MEAN).muli(share).addi(MEAN);
        return new Denoiser.Estimate(x0, z.sub(x0).divi(level.rho()));
      };

  private static INDArray draw(Sampler sampler) {
    NoiseSource noise = NoiseSource.seeded(4, 0);
    return sampler.sample(
        GAUSSIAN,
        (step, shape) -> noise.gaussian(step, shape).castTo(DataType.DOUBLE),
        SamplingObserver.NONE,
        12,
        3,
        16,
        16);
  }

  private static void assertIsGaussian(INDArray images) {
    assertThat(images.meanNumber().doubleValue()).isCloseTo(MEAN, within(0.015));
    assertThat(images.stdNumber().doubleValue()).isCloseTo(DEVIATION, within(0.02));
  }

  /** ρ is e to the power of evenly spaced numbers. */
  @Test
  void theScheduleGoesFromEndToEnd() {
    assertThat(NoiseLevel.of(SCHEDULE, 0).rho()).isCloseTo(0.01, within(1e-9));
    assertThat(NoiseLevel.of(SCHEDULE, 999).rho()).isCloseTo(50, within(1e-7));
    double middle = NoiseLevel.of(SCHEDULE, 500).rho() / NoiseLevel.of(SCHEDULE, 499).rho();
    assertThat(middle).isCloseTo(Math.pow(5000, 1 / 999.0), within(1e-9));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new VarianceExplodingSchedule(2, 1))
        .withMessageContaining("cannot go from 2.0 to 1.0");
  }

  @Test
  void reverseDiffusionReachesTheData() {
    ScoreSdeConfig predictor = new ScoreSdeConfig(0.15, 0, 1e-5);
    assertIsGaussian(draw(predictor.create(SCHEDULE, 300, X0Constraint.NONE)));
  }

  /** Langevin dynamics of finite steps are a little off. */
  @Test
  void theCorrectorStaysThere() {
    INDArray images = draw(ScoreSdeConfig.usual().create(SCHEDULE, 300, X0Constraint.NONE));
    assertThat(images.meanNumber().doubleValue()).isCloseTo(MEAN, within(0.02));
    assertThat(images.stdNumber().doubleValue()).isCloseTo(DEVIATION, within(0.06));
  }

  /** Song et al. 2021b, algorithms 2 and 4, in a plain loop on each of three images. */
  @Test
  void predictorAndCorrectorAreThoseOfThePaper() {
    double[] ratios = {8, 3, 1, 0.3, 0};
    double snr = 0.2;
    int corrections = 2;
    List<NoiseLevel> levels = new ArrayList<>();
    List<ScoreSdeSampler.Jump> jumps = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      levels.add(new NoiseLevel(4 - i, 1 / (1 + ratios[i] * ratios[i])));
      jumps.add(new ScoreSdeSampler.Jump(ratios[i], ratios[i + 1]));
    }
    NoiseSource noise =
        (step, shape) -> NoiseSource.seeded(6, 0).gaussian(step, shape).castTo(DataType.DOUBLE);
    long[] shape = {3, 1, 2, 2};
    INDArray begin = noise.gaussian(0, shape);
    INDArray drawn =
        new ScoreSdeSampler(levels, jumps, snr, corrections, X0Constraint.NONE)
            .denoise(GAUSSIAN, begin, noise, SamplingObserver.NONE);
    for (int n = 0; n < 3; n++) {
      double[] z = begin.slice(n).mul(Math.sqrt(65)).dup('c').data().asDouble();
      int draw = 1;
      for (int i = 0; i < 4; i++) {
        for (int k = 0; k < corrections; k++) {
          double[] eps = noise.gaussian(draw++, shape).slice(n).dup('c').data().asDouble();
          double[] score = score(z, ratios[i]);
          double ratio = snr * norm(eps) / norm(score);
          double step = 2 * ratio * ratio;
          for (int j = 0; j < 4; j++) {
            z[j] += step * score[j] + Math.sqrt(2 * step) * eps[j];
          }
        }
        double[] score = score(z, ratios[i]);
        double variance = ratios[i] * ratios[i] - ratios[i + 1] * ratios[i + 1];
        for (int j = 0; j < 4; j++) {
          z[j] += variance * score[j];
        }
        if (i < 3) {
          double[] eps = noise.gaussian(draw++, shape).slice(n).dup('c').data().asDouble();
          for (int j = 0; j < 4; j++) {
            z[j] += Math.sqrt(variance) * eps[j];
          }
        }
      }
      assertThat(drawn.slice(n).dup('c').data().asDouble())
          .usingComparatorWithPrecision(1e-9)
          .containsExactly(z);
    }
  }

  /** Of the Gaussian data with noise of the deviation ρ. */
  private static double[] score(double[] z, double ratio) {
    double variance = DEVIATION * DEVIATION + ratio * ratio;
    return Arrays.stream(z).map(value -> (MEAN - value) / variance).toArray();
  }

  private static double norm(double[] values) {
    return Math.sqrt(Arrays.stream(values).map(value -> value * value).sum());
  }

  /** What one image becomes is no business of the others in its batch. */
  @Test
  void correctorsChooseTheirStepsImageByImage() {
    Sampler sampler = ScoreSdeConfig.usual().create(SCHEDULE, 5, X0Constraint.NONE);
    NoiseSource noise = NoiseSource.seeded(9, 0);
    INDArray three = sampler.sample(GAUSSIAN, noise, SamplingObserver.NONE, 3, 1, 2, 2);
    INDArray one = sampler.sample(GAUSSIAN, noise, SamplingObserver.NONE, 1, 1, 2, 2);
    assertThat(three.slice(0)).isEqualTo(one.slice(0));
  }

  @Test
  void churnReachesTheData() {
    KarrasVeConfig config = new KarrasVeConfig(0.05, 8, 1, 40, 0.1, 20);
    NoiseSchedule schedule =
        NoiseSchedule.of(new VarianceExplodingSchedule(config.least(), config.greatest()), 1000);
    Sampler sampler = config.create(schedule, 60, X0Constraint.NONE);
    assertThat(sampler.evaluations()).isEqualTo(119);
    // The run begins with the noise of σ_max at the level of its square, as diffusers' does: where
    // the flow takes that, but for what churn forgets.
    INDArray images = draw(sampler);
    assertThat(images.meanNumber().doubleValue()).isCloseTo(MEAN, within(0.02));
    KarrasVeConfig without = new KarrasVeConfig(0.05, 8, 1, 0, 0.1, 20);
    INDArray start = Nd4j.createFromArray(-1.0, 0.5, 2.0, 0.1).reshape(1, 1, 2, 2);
    PathSampler flow = without.create(schedule, 200, X0Constraint.NONE);
    INDArray end =
        flow.sample(
            GAUSSIAN,
            NoiseSource.startingFrom(start, NoiseSource.seeded(1, 0)),
            SamplingObserver.NONE,
            1,
            1,
            2,
            2);
    double total = Math.hypot(config.greatest(), DEVIATION);
    for (int i = 0; i < 4; i++) {
      double z = 4 * start.getDouble(i) + 0.5;
      assertThat(end.getDouble(i)).isCloseTo(MEAN + (z - MEAN) * DEVIATION / total, within(2e-3));
    }
  }

  /** Karras et al. 2022, algorithm 2, in a plain loop on the levels of their equation 5. */
  @Test
  void heunWithChurnIsTheStochasticSamplerOfThePaper() {
    int steps = 12;
    double amount = 7;
    SamplerConfig config =
        SamplerConfig.of(SamplerType.HEUN).withLevels(LevelSpacing.KARRAS).withChurn(amount);
    NoiseSchedule schedule = NoiseSchedule.of(EdmSchedule.paper(), 1000);
    NoiseSource noise =
        (step, shape) -> NoiseSource.seeded(6, 0).gaussian(step, shape).castTo(DataType.DOUBLE);
    PathSampler sampler = config.create(schedule, steps, X0Constraint.NONE);
    assertThat(sampler.evaluations()).isEqualTo(2 * steps - 1);
    INDArray drawn = sampler.sample(GAUSSIAN, noise, SamplingObserver.NONE, 2, 1, 2, 2);

    double greatest = 80;
    double least = 0.002;
    double[] sigma = new double[steps + 1];
    for (int i = 0; i < steps; i++) {
      double root = Math.pow(greatest, 1 / 7.0);
      sigma[i] = Math.pow(root + i / (steps - 1.0) * (Math.pow(least, 1 / 7.0) - root), 7);
    }
    double gamma = Math.min(amount / steps, Math.sqrt(2) - 1);
    long[] shape = {2, 1, 2, 2};
    INDArray first = noise.gaussian(0, shape);
    for (int n = 0; n < 8; n++) {
      // A network is given images of variance 1, so that x begins as noise of the variance 1.
      double x = first.ravel().getDouble(n) * Math.sqrt(1 + greatest * greatest);
      for (int i = 0; i < steps; i++) {
        double hat = sigma[i] * (1 + gamma);
        x +=
            Math.sqrt(hat * hat - sigma[i] * sigma[i])
                * noise.gaussian(i + 1, shape).ravel().getDouble(n);
        double slope = (x - denoised(x, hat)) / hat;
        double next = x + (sigma[i + 1] - hat) * slope;
        if (sigma[i + 1] > 0) {
          double end = (next - denoised(next, sigma[i + 1])) / sigma[i + 1];
          next = x + (sigma[i + 1] - hat) * (slope + end) / 2;
        }
        x = next;
      }
      assertThat(drawn.ravel().getDouble(n)).isCloseTo(x, within(1e-6));
    }
  }

  private static double denoised(double x, double sigma) {
    double share = DEVIATION * DEVIATION / (DEVIATION * DEVIATION + sigma * sigma);
    return MEAN + share * (x - MEAN);
  }

  @Test
  void heunWithChurnReachesTheData() {
    SamplerConfig config =
        SamplerConfig.of(SamplerType.HEUN).withLevels(LevelSpacing.KARRAS).withChurn(30);
    assertIsGaussian(
        draw(config.create(NoiseSchedule.of(EdmSchedule.paper(), 1000), 60, X0Constraint.NONE)));
  }

  @Test
  void churnIsOfHeunsMethodAlone() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SamplerConfig.of(SamplerType.DPM_SOLVER).withChurn(1))
        .withMessage("The sampler dpm++ does not take churn; heun does.");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SamplerConfig.of(SamplerType.EULER).withChurn(1))
        .withMessage("The sampler euler does not take churn; heun does.");
    SamplerConfig heun = SamplerConfig.of(SamplerType.HEUN);
    assertThat(heun.withChurn(0)).isEqualTo(heun);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> heun.withChurn(-1))
        .withMessageContaining("The churn is -1.0");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                heun.withChurn(1)
                    .create(
                        NoiseSchedule.of(new ZeroTerminalSnrSchedule(LinearSchedule.paper()), 100),
                        10,
                        X0Constraint.NONE))
        .withMessageContaining("keeps a little signal");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new DiffusersScheduler(
                    LinearSchedule.paper(),
                    1000,
                    Parameterization.EPSILON,
                    heun.withChurn(1),
                    X0Clipping.NONE))
        .withMessageContaining("can say a churn of 1.0");
  }

  @Test
  void whatMakesNoSenseIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ScoreSdeConfig(0, 1, 0.1))
        .withMessageContaining("snr is 0.0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new KarrasVeConfig(2, 1, 1, 1, 1, 1))
        .withMessageContaining("sigma_min is 2.0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new KarrasVeConfig(1, 2, -1, 1, 1, 1))
        .withMessageContaining("deviation of -1.0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> KarrasVeConfig.usual().create(SCHEDULE, 1, X0Constraint.NONE))
        .withMessageContaining("at least 2 steps");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new ScoreSdeSampler(List.of(NoiseLevel.CLEAN), List.of(), 1, 1, X0Constraint.NONE))
        .withMessageContaining("1 levels and 0 jumps");
  }
}
