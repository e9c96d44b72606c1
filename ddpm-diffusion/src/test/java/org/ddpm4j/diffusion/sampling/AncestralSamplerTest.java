package org.ddpm4j.diffusion.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.NetworkDenoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.RespacedSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class AncestralSamplerTest {

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper(), 1000);
  private static final double MEAN = 0.3;
  private static final double DEVIATION = 0.5;

  /**
   * The best possible denoiser of pixels that are independently N(MEAN, DEVIATION²): x0 and x_t are
   * jointly Gaussian, so E[x0 | x_t] is the linear regression of x0 on x_t.
   */
  private static final Denoiser GAUSSIAN =
      (xt, level) -> {
        double signal = level.alpha();
        double noise = level.sigma();
        double variance = DEVIATION * DEVIATION;
        double slope = signal * variance / (signal * signal * variance + noise * noise);
        INDArray x0 = xt.sub(signal * MEAN).muli(slope).addi(MEAN);
        return new Denoiser.Estimate(x0, xt.sub(x0.mul(signal)).divi(noise));
      };

  private static AncestralSampler sampler(int steps, ReverseVariance variance) {
    return new AncestralSampler(SCHEDULE.respace(steps), variance, X0Constraint.NONE);
  }

  /** With the optimum for a denoiser, a long chain ends in the distribution of the data. */
  @ParameterizedTest
  @EnumSource(names = {"BETA", "POSTERIOR"})
  void reproducesGaussianData(ReverseVariance variance) {
    int count = 4000;
    INDArray images =
        sampler(1000, variance)
            .sample(GAUSSIAN, NoiseSource.seeded(11, 0), SamplingObserver.NONE, count, 1, 1, 1);

    double mean = images.meanNumber().doubleValue();
    double measured = images.varNumber().doubleValue();
    double expected = DEVIATION * DEVIATION;
    assertThat(mean).isCloseTo(MEAN, within(4 * DEVIATION / Math.sqrt(count)));
    assertThat(measured).isCloseTo(expected, within(4 * expected * Math.sqrt(2.0 / count)));
  }

  /**
   * Every step is affine in x and in the noise, so mean and variance of the last state follow by a
   * scalar recursion from the formulas of eq. 6, 7 and 11; here in the form of eq. 11, which the
   * sampler does not use.
   */
  @ParameterizedTest
  @EnumSource(names = {"BETA", "POSTERIOR"})
  void aShortChainHasTheMomentsOfItsRecursion(ReverseVariance variance) {
    int steps = 20;
    NoiseSchedule schedule =
        NoiseSchedule.of(LinearSchedule.paper().scaledTo(steps + 30), steps + 30);
    AncestralSampler sampler =
        new AncestralSampler(schedule.respace(schedule.timesteps()), variance, X0Constraint.NONE);
    double slope = 0.4;
    double offset = 0.1;
    NetworkDenoiser denoiser =
        new NetworkDenoiser(
            (x, t) -> x.mul(slope).addi(offset), Parameterization.EPSILON, schedule);
    double mean = 0;
    double second = 1;
    for (int t = schedule.timesteps() - 1; t >= 0; t--) {
      double beta = schedule.betas(t);
      double pull = beta / schedule.sqrtOneMinusAlphasCumprod(t);
      double factor = (1 - pull * slope) / Math.sqrt(1 - beta);
      double shift = -pull * offset / Math.sqrt(1 - beta);
      double previous = t == 0 ? 1 : schedule.alphasCumprod(t - 1);
      double sigma2 =
          variance == ReverseVariance.BETA
              ? beta
              : beta * (1 - previous) / (1 - schedule.alphasCumprod(t));
      mean = factor * mean + shift;
      second = factor * factor * second + (t == 0 ? 0 : sigma2);
    }
    int count = 4000;
    INDArray images =
        sampler.sample(denoiser, NoiseSource.seeded(5, 0), SamplingObserver.NONE, count, 1, 1, 1);
    assertThat(images.meanNumber().doubleValue())
        .isCloseTo(mean, within(4 * Math.sqrt(second / count)));
    assertThat(images.varNumber().doubleValue())
        .isCloseTo(second, within(4 * second * Math.sqrt(2.0 / count)));
  }

  @Test
  void observerSeesEveryStepInOrder() {
    AncestralSampler sampler = sampler(7, ReverseVariance.POSTERIOR);
    List<Integer> steps = new ArrayList<>();
    List<INDArray> states = new ArrayList<>();
    List<INDArray> copies = new ArrayList<>();
    List<INDArray> estimates = new ArrayList<>();
    INDArray images =
        sampler.sample(
            GAUSSIAN,
            NoiseSource.seeded(1, 0),
            (done, x, x0) -> {
              steps.add(done);
              states.add(x);
              copies.add(x.dup());
              estimates.add(x0.dup());
            },
            2,
            1,
            3,
            3);
    assertThat(sampler.steps()).isEqualTo(7);
    assertThat(steps).containsExactly(1, 2, 3, 4, 5, 6, 7);
    // States may be kept without copying.
    assertThat(states).isEqualTo(copies);
    assertThat(states.get(6)).isEqualTo(images);
    // The last step adds no noise: its state is its estimate.
    assertThat(estimates.get(6)).isEqualTo(images);
    assertThat(
            GAUSSIAN
                .denoise(
                    states.get(2), NoiseLevel.of(SCHEDULE, sampler.times().originalTimestep(3)))
                .x0())
        .isEqualTo(estimates.get(3));
  }

  @Test
  void clippedEstimatesStayInTheRange() {
    Denoiser wild =
        (xt, t) -> {
          INDArray x0 = xt.mul(50);
          return new Denoiser.Estimate(x0, xt);
        };
    AncestralSampler sampler =
        new AncestralSampler(
            SCHEDULE.respace(20), ReverseVariance.BETA, X0Constraint.clip(-1, 0.5));
    INDArray images =
        sampler.sample(
            wild,
            NoiseSource.seeded(2, 0),
            (done, x, x0) -> {
              assertThat(x0.minNumber().doubleValue()).isGreaterThanOrEqualTo(-1);
              assertThat(x0.maxNumber().doubleValue()).isLessThanOrEqualTo(0.5);
            },
            8,
            1,
            4,
            4);
    assertThat(images.minNumber().doubleValue()).isEqualTo(-1);
    assertThat(images.maxNumber().doubleValue()).isEqualTo(0.5);
  }

  @Test
  void clippingLeavesItsArgumentAlone() {
    INDArray x0 = Nd4j.createFromArray(-3f, -0.5f, 0f, 2f);
    INDArray before = x0.dup();
    assertThat(X0Constraint.clip(-1, 1).apply(x0).toFloatVector()).containsExactly(-1, -0.5f, 0, 1);
    assertThat(x0).isEqualTo(before);
    assertThat(X0Constraint.NONE.apply(x0)).isSameAs(x0);
    assertThatThrownBy(() -> X0Constraint.clip(1, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Images cannot be clipped to [1.0,1.0]; the range is empty.");
    assertThatThrownBy(() -> X0Constraint.clip(Double.NaN, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void anImageIsTheSameInEveryBatch() {
    DiffusionPipeline pipeline =
        new DiffusionPipeline(GAUSSIAN, sampler(50, ReverseVariance.BETA), new ImageShape(3, 4, 5));
    INDArray all = pipeline.sample(7, 99);
    assertThat(all.shape()).containsExactly(7, 3, 4, 5);
    assertThat(pipeline.sample(7, 99)).isEqualTo(all);
    for (int batchSize : new int[] {1, 2, 3, 100}) {
      assertThat(pipeline.sample(7, 99, batchSize, SamplingObserver.NONE)).isEqualTo(all);
    }
    assertThat(pipeline.sample(3, 99)).isEqualTo(all.get(NDArrayIndex.interval(0, 3)));
    assertThat(pipeline.sample(7, 100)).isNotEqualTo(all);
  }

  @Test
  void refusesToDrawNothing() {
    DiffusionPipeline pipeline =
        new DiffusionPipeline(GAUSSIAN, sampler(5, ReverseVariance.BETA), new ImageShape(1, 2, 2));
    assertThatThrownBy(() -> pipeline.sample(0, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("0 images cannot be drawn in batches of 64; both must be at least 1.");
    assertThatThrownBy(() -> pipeline.sample(1, 1, 0, SamplingObserver.NONE))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new ImageShape(1, 0, 2)).isInstanceOf(IllegalArgumentException.class);
  }

  private static DiffusionPipeline unetPipeline(DataType dataType) {
    Unet unet =
        Unet.create(AnnotatedUnet.resnet(8, 1, List.of(1, 2), 4).withAttention(2, 4), dataType, 3);
    NoiseSchedule schedule = NoiseSchedule.of(CosineSchedule.paper(), 100);
    AncestralSampler sampler =
        new AncestralSampler(
            schedule.respace(10), ReverseVariance.POSTERIOR, X0Constraint.clip(-1, 1));
    return DiffusionPipeline.of(unet, schedule, sampler, new ImageShape(1, 8, 8));
  }

  @Test
  void aUnetsImageIsTheSameInEveryBatchUpToRounding() {
    DiffusionPipeline pipeline = unetPipeline(DataType.FLOAT);
    INDArray all = pipeline.sample(5, 4);
    for (int batchSize : new int[] {1, 2}) {
      assertClose(pipeline.sample(5, 4, batchSize, SamplingObserver.NONE), all, 1e-5);
    }
  }

  @Test
  void aUnetInDoubleSamplesNearlyTheSame() {
    assertClose(
        unetPipeline(DataType.DOUBLE).sample(3, 4),
        unetPipeline(DataType.FLOAT).sample(3, 4),
        1e-4);
  }

  @Test
  void threadsDoNotDisturbEachOther() throws Exception {
    DiffusionPipeline pipeline = unetPipeline(DataType.FLOAT);
    List<INDArray> expected = List.of(pipeline.sample(2, 1), pipeline.sample(2, 2));
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      for (int repetition = 0; repetition < 3; repetition++) {
        List<Future<INDArray>> results = new ArrayList<>();
        for (long seed = 1; seed <= 2; seed++) {
          long own = seed;
          results.add(threads.submit(() -> pipeline.sample(2, own)));
        }
        for (int i = 0; i < 2; i++) {
          assertClose(results.get(i).get(), expected.get(i), 1e-5);
        }
      }
    } finally {
      threads.shutdownNow();
    }
  }

  /** One step from x_T: x0 is estimated once and taken. */
  @Test
  void oneStepIsTheEstimateAtTheLastTimestep() {
    RespacedSchedule once = SCHEDULE.respace(1);
    INDArray images =
        new AncestralSampler(once, ReverseVariance.BETA, X0Constraint.NONE)
            .sample(GAUSSIAN, NoiseSource.seeded(6, 0), SamplingObserver.NONE, 2, 1, 2, 2);
    INDArray xT = NoiseSource.seeded(6, 0).gaussian(1, 2, 1, 2, 2);
    assertThat(images).isEqualTo(GAUSSIAN.denoise(xT, NoiseLevel.of(SCHEDULE, 999)).x0());
  }

  private static void assertClose(INDArray actual, INDArray expected, double tolerance) {
    assertThat(actual.shape()).isEqualTo(expected.shape());
    // The greatest value of an array (amax) does not see what is no number; this norm does.
    assertThat(actual.sub(expected).normmaxNumber().doubleValue()).isLessThan(tolerance);
  }
}
