package org.ddpm4j.diffusion.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.Network;
import org.ddpm4j.diffusion.NetworkDenoiser;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.KarrasVeConfig;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerConfig.End;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler.Equation;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler.Prediction;
import org.ddpm4j.diffusion.sampling.DpmSolverSampler.SecondOrder;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.ZeroTerminalSnrSchedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/** What all samplers have in common, and where one is another under a second name. */
class SamplersTest {

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper(), 1000);
  private static final NoiseSchedule ZERO_SNR =
      NoiseSchedule.of(new ZeroTerminalSnrSchedule(LinearSchedule.paper()), 1000);
  private static final long[] SHAPE = {3, 2, 2, 2};

  private static final NoiseSource FLOATS = NoiseSource.seeded(5, 0);

  private static final NoiseSource DOUBLES =
      (step, shape) -> FLOATS.gaussian(step, shape).castTo(DataType.DOUBLE);

  private static Sampler sampler(SamplerType type, NoiseSchedule schedule, int steps) {
    return SamplerConfig.of(type).create(schedule, steps, X0Constraint.NONE);
  }

  private static INDArray draw(Sampler sampler, Denoiser denoiser, NoiseSource noise) {
    return sampler.sample(denoiser, noise, SamplingObserver.NONE, SHAPE);
  }

  private static INDArray draw(Sampler sampler) {
    return draw(sampler, GaussianFlow.DENOISER, DOUBLES);
  }

  private static void assertSame(INDArray actual, INDArray expected, double tolerance) {
    assertThat(actual.shape()).isEqualTo(expected.shape());
    // The greatest value of an array (amax) does not see what is no number; this norm does.
    assertThat(actual.sub(expected).normmaxNumber().doubleValue()).isLessThan(tolerance);
  }

  /** Not the one that begins with noise around a mean of its own. */
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "KARRAS_VE")
  void beginsWithTheNoiseThatItIsGiven(SamplerType type) {
    INDArray start = NoiseSource.seeded(77, 0).gaussian(0, SHAPE).castTo(DataType.DOUBLE);
    List<INDArray> states = new ArrayList<>();
    List<NoiseLevel> levels = new ArrayList<>();
    Denoiser recorder =
        (x, level) -> {
          states.add(x.dup());
          levels.add(level);
          return GaussianFlow.DENOISER.denoise(x, level);
        };
    Sampler sampler = sampler(type, SCHEDULE, 6);
    INDArray images = draw(sampler, recorder, NoiseSource.startingFrom(start, DOUBLES));

    double scale =
        switch (type) {
          case EULER, EULER_ANCESTRAL, HEUN, LMS, DPM2, DPM2_ANCESTRAL, CONSISTENCY, SCORE_SDE ->
              levels.get(0).sigma();
          default -> 1;
        };
    assertSame(states.get(0), start.mul(scale), 1e-12);
    // The seeded source, told to begin with its own noise, changes nothing.
    long own = type == SamplerType.DDPM ? 6 : 0;
    NoiseSource same = NoiseSource.startingFrom(DOUBLES.gaussian(own, SHAPE), DOUBLES);
    assertThat(draw(sampler, GaussianFlow.DENOISER, same)).isEqualTo(draw(sampler));
    // Those that jump to the image have forgotten it by then.
    if (type != SamplerType.LCM && type != SamplerType.CONSISTENCY) {
      assertThat(images).isNotEqualTo(draw(sampler));
    }
  }

  /** Of whatever is predicted, the best network for Gaussian data. */
  private static Denoiser network(Parameterization parameterization, NoiseSchedule schedule) {
    Network network =
        (x, t) -> {
          NoiseLevel level = NoiseLevel.between(schedule, t.getDouble(0));
          Denoiser.Estimate estimate = GaussianFlow.DENOISER.denoise(x, level);
          return switch (parameterization) {
            case EPSILON -> estimate.eps();
            case X0 -> estimate.x0();
            case V -> estimate.eps().mul(level.alpha()).subi(estimate.x0().mul(level.sigma()));
            case FLOW, EDM, CONSISTENCY, SCORE ->
                throw new AssertionError("asked at another scale");
            case MEAN -> {
              int whole = (int) level.t();
              yield estimate
                  .x0()
                  .mul(schedule.posteriorMeanCoef1(whole))
                  .addi(x.mul(schedule.posteriorMeanCoef2(whole)));
            }
          };
        };
    return new NetworkDenoiser(network, parameterization, schedule);
  }

  /** Not those whose levels are no timesteps': the test's network knows a level by its time. */
  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"DPM2", "DPM2_ANCESTRAL", "SCORE_SDE", "KARRAS_VE", "FLOW_EULER", "FLOW_HEUN"})
  void whatTheNetworkPredictsDoesNotMatter(SamplerType type) {
    Sampler sampler = sampler(type, SCHEDULE, 12);
    INDArray expected = draw(sampler);
    for (Parameterization parameterization :
        List.of(Parameterization.EPSILON, Parameterization.X0, Parameterization.V)) {
      assertSame(draw(sampler, network(parameterization, SCHEDULE), DOUBLES), expected, 1e-9);
    }
  }

  @Test
  void aNetworkOfTheMeanIsAskedAtWholeTimestepsOnly() {
    Denoiser mean = network(Parameterization.MEAN, SCHEDULE);
    Sampler whole = sampler(SamplerType.DPM_SOLVER, SCHEDULE, 12);
    assertSame(draw(whole, mean, DOUBLES), draw(whole), 1e-9);
    assertThatThrownBy(() -> draw(sampler(SamplerType.EULER, SCHEDULE, 12), mean, DOUBLES))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("knows whole timesteps only and was asked at 908.18");
    Denoiser timesteps =
        Denoiser.ofTimesteps(
            (xt, t) -> GaussianFlow.DENOISER.denoise(xt, NoiseLevel.of(SCHEDULE, t)));
    assertSame(draw(whole, timesteps, DOUBLES), draw(whole), 1e-12);
    assertThatThrownBy(() -> draw(sampler(SamplerType.HEUN, SCHEDULE, 12), timesteps, DOUBLES))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("without fractional times");
  }

  @ParameterizedTest
  @EnumSource
  void isAFunctionOfTheNoiseAlone(SamplerType type) {
    Sampler sampler = sampler(type, SCHEDULE, 10);
    INDArray all = draw(sampler, GaussianFlow.DENOISER, FLOATS);
    assertThat(all.dataType()).isEqualTo(DataType.FLOAT);
    assertThat(draw(sampler, GaussianFlow.DENOISER, FLOATS)).isEqualTo(all);
    for (int image = 0; image < 3; image++) {
      INDArray alone =
          sampler.sample(
              GaussianFlow.DENOISER,
              NoiseSource.seeded(5, image),
              SamplingObserver.NONE,
              1,
              2,
              2,
              2);
      assertThat(alone).isEqualTo(all.get(NDArrayIndex.interval(image, image + 1)).dup());
    }
    INDArray doubles = draw(sampler, GaussianFlow.DENOISER, DOUBLES);
    assertThat(doubles.dataType()).isEqualTo(DataType.DOUBLE);
    assertSame(doubles, all.castTo(DataType.DOUBLE), 1e-4);
  }

  /** The golden runs cannot tell: they have a new noise for every question, whatever its step. */
  @ParameterizedTest
  @EnumSource
  void noNoiseIsDrawnTwice(SamplerType type) {
    List<Long> drawn = new ArrayList<>();
    NoiseSource recording =
        (step, shape) -> {
          drawn.add(step);
          return DOUBLES.gaussian(step, shape);
        };
    draw(sampler(type, SCHEDULE, 10), GaussianFlow.DENOISER, recording);
    boolean addsNoise =
        switch (type) {
          case DDPM,
              EULER_ANCESTRAL,
              DPM2_ANCESTRAL,
              LCM,
              CONSISTENCY,
              SCORE_SDE,
              KARRAS_VE,
              SA_SOLVER,
              DPM_SOLVER_SDE,
              DPM_SOLVER_EPS_SDE,
              DPM_SINGLESTEP_SDE ->
              true;
          default -> false;
        };
    assertThat(drawn).doesNotHaveDuplicates();
    assertThat(drawn.size() > 2).isEqualTo(addsNoise);
  }

  @ParameterizedTest
  @EnumSource
  void showsEveryStateAndLeavesItAlone(SamplerType type) {
    Sampler sampler = SamplerConfig.of(type).create(SCHEDULE, 10, X0Constraint.clip(-0.1, 0.4));
    List<INDArray> states = new ArrayList<>();
    List<INDArray> copies = new ArrayList<>();
    int[] asked = {0};
    Denoiser counting =
        (xt, level) -> {
          asked[0]++;
          return GaussianFlow.DENOISER.denoise(xt, level);
        };
    INDArray end =
        sampler.sample(
            counting,
            DOUBLES,
            (done, x, x0) -> {
              states.add(x);
              copies.add(x.dup());
              assertThat(done).isEqualTo(states.size());
              assertThat(x0.minNumber().doubleValue()).isGreaterThanOrEqualTo(-0.1);
              assertThat(x0.maxNumber().doubleValue()).isLessThanOrEqualTo(0.4);
            },
            SHAPE);
    assertThat(states).hasSize(sampler.steps()).isEqualTo(copies);
    assertThat(states.get(9)).isEqualTo(end);
    assertThat(sampler.evaluations()).isEqualTo(asked[0]);
  }

  /**
   * Films of a run are made of what is shown, and the golden runs see only what the network is
   * asked. Churn would add noise between the two.
   */
  @ParameterizedTest
  @EnumSource
  void showsWhatTheNetworkIsAskedNext(SamplerType type) {
    Sampler sampler =
        type == SamplerType.KARRAS_VE
            ? new KarrasVeConfig(0.05, 8, 1, 0, 0.1, 20).create(SCHEDULE, 10, X0Constraint.NONE)
            : sampler(type, SCHEDULE, 10);
    List<INDArray> shown = new ArrayList<>();
    int[] compared = {0};
    Denoiser comparing =
        (x, level) -> {
          if (shown.size() > compared[0]) {
            assertSame(x, shown.get(compared[0]++), 1e-12);
          }
          return GaussianFlow.DENOISER.denoise(x, level);
        };
    INDArray end = sampler.sample(comparing, DOUBLES, (done, x, x0) -> shown.add(x.dup()), SHAPE);
    assertThat(compared[0]).isEqualTo(9);
    assertThat(shown.get(9)).isEqualTo(end);
  }

  /**
   * Many steps end where the probability flow does: at m + s x_T, but for the signal left in it.
   */
  @ParameterizedTest
  @EnumSource(
      names = {
        "DPM_SOLVER",
        "DPM_SOLVER_EPS",
        "DPM_SINGLESTEP",
        "DPM_SINGLESTEP_EPS",
        "DPM2",
        "UNIPC",
        "PNDM",
        "PLMS",
        "IPNDM",
        "DEIS",
        "LMS",
        "HEUN",
        "DDIM",
        "EULER"
      })
  void followsTheProbabilityFlow(SamplerType type) {
    Sampler sampler =
        SamplerConfig.of(type).withEnd(End.FIRST_TIMESTEP).create(SCHEDULE, 200, X0Constraint.NONE);
    NoiseLevel first = NoiseLevel.of(SCHEDULE, 999);
    NoiseLevel last = NoiseLevel.of(SCHEDULE, 0);
    INDArray start = DOUBLES.gaussian(0, SHAPE);
    INDArray end = draw(sampler);
    for (int i = 0; i < end.length(); i++) {
      double x = start.getDouble(i);
      assertThat(end.getDouble(i)).isCloseTo(GaussianFlow.solution(x, first, last), within(0.03));
    }
  }

  /** From nothing but noise, the flow ends at exactly m + s x_T. */
  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {
        "PNDM",
        "PLMS",
        "IPNDM",
        "DPM_SOLVER_EPS",
        "DPM_SOLVER_EPS_SDE",
        "DPM_SINGLESTEP_EPS",
        "LCM",
        "CONSISTENCY",
        "SCORE_SDE",
        "KARRAS_VE",
        "FLOW_EULER",
        "FLOW_HEUN"
      })
  void beginsWhereNoSignalIsLeft(SamplerType type) {
    Sampler sampler =
        SamplerConfig.of(type)
            .withSpacing(TimestepSpacing.TRAILING, 0)
            .create(ZERO_SNR, 100, X0Constraint.NONE);
    INDArray start = DOUBLES.gaussian(0, SHAPE);
    INDArray end = draw(sampler, network(Parameterization.V, ZERO_SNR), DOUBLES);
    for (int i = 0; i < end.length(); i++) {
      double expected = GaussianFlow.MEAN + Math.sqrt(GaussianFlow.VARIANCE) * start.getDouble(i);
      boolean random =
          type == SamplerType.DDPM
              || type == SamplerType.DPM_SOLVER_SDE
              || type == SamplerType.DPM_SINGLESTEP_SDE
              || type == SamplerType.DPM2_ANCESTRAL
              || type == SamplerType.SA_SOLVER
              || type == SamplerType.EULER_ANCESTRAL;
      // A solver's error is a share of the noise.
      double share = 0.02 * Math.max(1, Math.abs(start.getDouble(i)));
      assertThat(end.getDouble(i)).isCloseTo(expected, within(random ? 4.0 : share));
    }
    assertThatThrownBy(() -> draw(sampler, network(Parameterization.EPSILON, ZERO_SNR), DOUBLES))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("At timestep 999 nothing of the image is left");
  }

  /**
   * There all noise is fresh, and what is left of the old may be a rounding error below 0. In
   * FLOAT, as runs are: ND4J takes 0 for a factor that is no number.
   */
  @Test
  void ddimWithNoiseBeginsWhereNoSignalIsLeft() {
    for (int steps = 2; steps <= 40; steps++) {
      NoiseLevels levels = NoiseLevels.of(ZERO_SNR, TimestepSpacing.TRAILING, steps);
      assertSame(
          draw(new DdimSampler(levels, 1, X0Constraint.NONE), ofV(), FLOATS),
          draw(new DpmSolverSampler(levels, 1, Equation.SDE, X0Constraint.NONE), ofV(), FLOATS),
          1e-4);
    }
  }

  private static Denoiser ofV() {
    return network(Parameterization.V, ZERO_SNR);
  }

  @ParameterizedTest
  @EnumSource(names = {"PNDM", "PLMS", "IPNDM", "DPM_SOLVER_EPS", "DPM_SINGLESTEP_EPS"})
  void combinationsOfEpsNeedSomeSignal(SamplerType type) {
    SamplerConfig trailing = SamplerConfig.of(type).withSpacing(TimestepSpacing.TRAILING, 0);
    assertThatThrownBy(() -> trailing.create(ZERO_SNR, 10, X0Constraint.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("choose")
        .hasMessageContaining("DPM-Solver++");
  }

  /** Order 1 of all of them is DDIM's step. */
  @Test
  void firstOrderIsDdim() {
    NoiseLevels levels = NoiseLevels.of(SCHEDULE, TimestepSpacing.LINSPACE, 15);
    INDArray ddim = draw(new DdimSampler(levels, 0, X0Constraint.NONE));
    assertSame(draw(new EulerSampler(levels, X0Constraint.NONE)), ddim, 1e-12);
    assertSame(draw(new LmsSampler(levels, 1, X0Constraint.NONE)), ddim, 1e-12);
    assertSame(draw(new DeisSampler(levels, 1, X0Constraint.NONE)), ddim, 1e-12);
    assertSame(draw(new DpmSolverSampler(levels, 1, Equation.ODE, X0Constraint.NONE)), ddim, 1e-12);
  }

  /** Of groups of one step, each of which knows nothing of those before. */
  @Test
  void singlestepOfOrderOneIsDdim() {
    NoiseLevels levels =
        NoiseLevels.of(SCHEDULE, TimestepSpacing.LINSPACE, 15)
            .endingAt(NoiseLevel.of(SCHEDULE, 0))
            .last(14);
    INDArray ddim = draw(new DdimSampler(levels, 0, X0Constraint.NONE));
    for (Prediction prediction : Prediction.values()) {
      assertSame(draw(singlestep(levels, 1, prediction)), ddim, 1e-12);
    }
  }

  private static DpmSinglestepSampler singlestep(
      NoiseLevels levels, int order, Prediction prediction) {
    return new DpmSinglestepSampler(
        levels,
        DpmSinglestepSampler.orders(levels, order, FinalOrder.FULL),
        Equation.ODE,
        prediction,
        SecondOrder.MIDPOINT,
        Convention.PAPER,
        X0Constraint.NONE);
  }

  @Test
  void ordersGoOnFromTheOneBefore() {
    NoiseLevels clean = NoiseLevels.of(SCHEDULE, TimestepSpacing.LINSPACE, 6);
    NoiseLevels noisy = clean.endingAt(NoiseLevel.of(SCHEDULE, 0)).last(6);
    assertThat(DpmSinglestepSampler.orders(noisy, 3, FinalOrder.FULL))
        .containsExactly(1, 2, 3, 1, 2, 3);
    assertThat(DpmSinglestepSampler.orders(noisy, 3, FinalOrder.LOWERED))
        .containsExactly(1, 2, 3, 1, 2, 1);
    assertThat(DpmSinglestepSampler.orders(clean, 3, FinalOrder.FULL))
        .containsExactly(1, 2, 3, 1, 2, 1);
    assertThat(DpmSinglestepSampler.orders(clean.last(5), 2, FinalOrder.FULL))
        .containsExactly(1, 2, 1, 2, 1);
    DpmSinglestepSampler valid = singlestep(clean, 2, Prediction.X0);
    assertThatThrownBy(
            () ->
                new DpmSinglestepSampler(
                    clean,
                    List.of(1, 3, 1, 2, 3, 1),
                    valid.equation(),
                    valid.prediction(),
                    valid.secondOrder(),
                    valid.convention(),
                    valid.x0Constraint()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("cannot be [1, 3, 1, 2, 3, 1]");
  }

  /** Song et al. 2023, algorithm 1, of a model that always sees the same image. */
  @Test
  void lcmJumpsToTheImageAndAddsNoise() {
    NoiseLevels levels = NoiseLevels.of(SCHEDULE, 999, 499, 0);
    INDArray image = DOUBLES.gaussian(50, SHAPE).muli(0.3);
    List<INDArray> asked = new ArrayList<>();
    INDArray end =
        draw(
            new LcmSampler(levels, 10, X0Constraint.NONE),
            (x, level) -> {
              asked.add(x);
              return new Denoiser.Estimate(image, x);
            },
            DOUBLES);
    NoiseLevel second = NoiseLevel.of(SCHEDULE, 499);
    INDArray expected =
        image.mul(second.alpha()).addi(DOUBLES.gaussian(1, SHAPE).muli(second.sigma()));
    // The share of x in what is taken for the image is 0.25/(9990² + 0.25).
    assertSame(asked.get(1), expected, 1e-6);
    // At t = 0 nothing changes.
    assertSame(end, asked.get(2), 1e-12);
  }

  /** With as much noise as DDPM adds, all of them are DDPM on a respaced chain. */
  @Test
  void firstOrderWithNoiseIsDdpm() {
    NoiseLevels levels = NoiseLevels.of(SCHEDULE, TimestepSpacing.TRAILING, 20);
    INDArray ddim = draw(new DdimSampler(levels, 1, X0Constraint.NONE));
    assertSame(draw(new EulerAncestralSampler(levels, X0Constraint.NONE)), ddim, 1e-12);
    assertSame(draw(new DpmSolverSampler(levels, 1, Equation.SDE, X0Constraint.NONE)), ddim, 1e-12);

    int[] kept = new int[20];
    for (int i = 0; i < 20; i++) {
      kept[i] = 49 + 50 * i;
    }
    Sampler ddpm =
        new AncestralSampler(SCHEDULE.respace(kept), ReverseVariance.POSTERIOR, X0Constraint.NONE);
    // It counts the draws downwards.
    NoiseSource reversed = (step, shape) -> DOUBLES.gaussian(20 - step, shape);
    assertSame(draw(ddpm, GaussianFlow.DENOISER, reversed), ddim, 1e-10);
  }

  /** UniP of order 2 is the multistep DPM-Solver++; only the corrector differs. */
  @Test
  void theLastStepsOfUniPcAreOfLowerOrderSoThatTwoStepsAreDpmSolvers() {
    NoiseLevels levels = NoiseLevels.of(SCHEDULE, TimestepSpacing.TRAILING, 1);
    assertSame(
        draw(new UniPcSampler(levels, 3, X0Constraint.NONE)),
        draw(new DpmSolverSampler(levels, 3, Equation.ODE, X0Constraint.NONE)),
        1e-12);
  }

  @Test
  void diffusersDdimGoesWhereTheNextStepDoesNotBegin() {
    SamplerConfig config =
        SamplerConfig.of(SamplerType.DDIM)
            .withSpacing(TimestepSpacing.LINSPACE, 0)
            .withConvention(Convention.DIFFUSERS);
    DdimSampler sampler = (DdimSampler) config.create(SCHEDULE, 10, X0Constraint.NONE);
    assertThat(sampler.path().get(0).from().t()).isEqualTo(999);
    assertThat(sampler.path().get(0).to().t()).isEqualTo(899);
    assertThat(sampler.path().get(1).from().t()).isEqualTo(888);
    DdimSampler paper =
        (DdimSampler) SamplerConfig.of(SamplerType.DDIM).create(SCHEDULE, 10, X0Constraint.NONE);
    for (int i = 1; i < 10; i++) {
      assertThat(paper.path().get(i).from()).isEqualTo(paper.path().get(i - 1).to());
    }
  }

  @Test
  void dynamicThresholdingByHand() {
    // The 0.5 quantile of {0.5, 1, 2, 4, 3} is 2; of the second image it is 0.3, and 1 counts.
    INDArray x0 =
        Nd4j.createFromArray(0.5, -1, 2, -4, 3, 0.1, 0.2, 0.3, -0.9, -1.5).reshape(2, 1, 1, 5);
    INDArray before = x0.dup();
    assertThat(X0Constraint.dynamicThreshold(0.5).apply(x0).data().asDouble())
        .containsExactly(0.25, -0.5, 1, -1, 1, 0.1, 0.2, 0.3, -0.9, -1);
    assertThat(x0).isEqualTo(before);
    // Between 3 and 4, half-way.
    assertThat(X0Constraint.dynamicThreshold(0.875).apply(x0).getDouble(1))
        .isCloseTo(-1 / 3.5, within(1e-15));
    assertThat(X0Constraint.dynamicThreshold(0.5, 1).apply(x0))
        .isEqualTo(X0Constraint.clip(-1, 1).apply(x0));
    // Every image has a larger quantile: clipped to [-1/2,1/2], and stretched.
    assertThat(X0Constraint.dynamicThreshold(0.5, 0.5).apply(x0))
        .isEqualTo(X0Constraint.clip(-0.5, 0.5).apply(x0).mul(2));
    assertThatThrownBy(() -> X0Constraint.dynamicThreshold(0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> X0Constraint.dynamicThreshold(0.9, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** In FLOAT, image by image, as ND4J computes it: s and each quotient are rounded to FLOAT. */
  @Test
  void dynamicThresholdingOfFloats() {
    INDArray x0 = NoiseSource.seeded(3, 0).gaussian(0, 5, 3, 7, 9).mul(1.7);
    INDArray before = x0.dup();
    double ratio = 0.93;
    INDArray thresholded = X0Constraint.dynamicThreshold(ratio).apply(x0);
    assertThat(thresholded.dataType()).isEqualTo(DataType.FLOAT);
    assertThat(thresholded.shape()).isEqualTo(x0.shape());
    for (int n = 0; n < 5; n++) {
      INDArray image = x0.slice(n).dup('c');
      double[] sorted = Transforms.abs(image).data().asDouble();
      Arrays.sort(sorted);
      // 0.93 of the 188 distances between 189 values.
      double s = sorted[174] + 0.84 * (sorted[175] - sorted[174]);
      assertThat(s).isGreaterThan(1);
      INDArray expected = Nd4j.math().clipByValue(image, -s, s).divi(s);
      assertThat(thresholded.slice(n).dup('c').data().asFloat())
          .isEqualTo(expected.data().asFloat());
    }
    assertThat(x0).isEqualTo(before);
  }

  /** Whatever the order, with many that are equal, and with what is no number. */
  @ParameterizedTest
  @ValueSource(doubles = {0.001, 0.37, 0.5, 0.995, 1})
  void theThresholdIsThatOfSortedValues(double ratio) {
    SplittableRandom random = new SplittableRandom(8);
    for (int n : new int[] {1, 2, 3, 7, 64, 1000}) {
      List<IntToDoubleFunction> images =
          List.of(
              i -> 3 * random.nextFloat(-1, 1),
              i -> i,
              i -> n - i,
              i -> 7,
              i -> i % 5 - 2,
              i -> (i ^ 1) * (i % 2 == 0 ? 2 : -2),
              i -> i % 3 == 0 ? Double.POSITIVE_INFINITY : -i,
              i -> i % 4 == 1 ? Double.NaN : i);
      for (IntToDoubleFunction image : images) {
        INDArray x0 =
            Nd4j.createFromArray(IntStream.range(0, n).mapToDouble(image).toArray())
                .reshape(1, 1, 1, n);
        double[] sorted = Arrays.stream(x0.data().asDouble()).map(Math::abs).sorted().toArray();
        int below = (int) (ratio * (n - 1));
        double share = ratio * (n - 1) - below;
        double quantile =
            sorted[below] + share * (sorted[Math.min(below + 1, n - 1)] - sorted[below]);
        double s = Math.max(1, quantile);
        double[] expected =
            Arrays.stream(x0.data().asDouble())
                .map(x -> Math.min(Math.max(x, -s), s) / s)
                .toArray();
        float[] expectedFloats = new float[n];
        for (int i = 0; i < n; i++) {
          expectedFloats[i] = Math.min(Math.max(x0.getFloat(i), -(float) s), (float) s) / (float) s;
        }
        X0Constraint constraint = X0Constraint.dynamicThreshold(ratio);
        assertThat(constraint.apply(x0.castTo(DataType.FLOAT)).data().asFloat())
            .isEqualTo(expectedFloats);
        if (Double.isFinite(s)) {
          assertThat(constraint.apply(x0).data().asDouble()).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void optionsAreChecked() {
    NoiseLevels levels = NoiseLevels.of(SCHEDULE, TimestepSpacing.LEADING, 3);
    assertThatThrownBy(() -> new DpmSolverSampler(levels, 4, Equation.ODE, X0Constraint.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The order of DPM-Solver++ is 4; it must be from 1 to 3.");
    assertThatThrownBy(() -> new UniPcSampler(levels, 0, X0Constraint.NONE))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new DeisSampler(levels, 4, X0Constraint.NONE))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new LmsSampler(levels, 5, X0Constraint.NONE))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new DdimSampler(levels, 1.5, X0Constraint.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("η is 1.5");
    assertThatThrownBy(() -> PndmSampler.rungeKutta(SCHEDULE, levels, X0Constraint.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("3 steps are too few for PNDM");
  }
}
