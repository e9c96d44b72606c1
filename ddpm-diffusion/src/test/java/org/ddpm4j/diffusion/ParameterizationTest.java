package org.ddpm4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.EdmSchedule;
import org.ddpm4j.schedules.FlowSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.ZeroTerminalSnrSchedule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class ParameterizationTest {

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper(), 1000);
  private static final int[] T = {0, 1, 17, 500, 900, 999};
  private static final INDArray X0 = gaussian(1);
  private static final INDArray EPS = gaussian(2);

  private static INDArray gaussian(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[] values = new double[T.length * 2 * 3 * 3];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextGaussian();
    }
    return Nd4j.createFromArray(values).reshape(T.length, 2, 3, 3);
  }

  /** Element by element with the formula of one parameterisation, {@code f(x0, eps, t)}. */
  private static INDArray each(Formula formula) {
    INDArray result = X0.dup();
    for (int n = 0; n < T.length; n++) {
      for (long i = 0; i < 18; i++) {
        double x0 = X0.getDouble(n * 18 + i);
        double eps = EPS.getDouble(n * 18 + i);
        result.putScalar(n * 18 + i, formula.value(x0, eps, T[n]));
      }
    }
    return result;
  }

  @FunctionalInterface
  private interface Formula {
    double value(double x0, double eps, int t);
  }

  private static double xt(double x0, double eps, int t) {
    double cumprod = SCHEDULE.alphasCumprod(t);
    return Math.sqrt(cumprod) * x0 + Math.sqrt(1 - cumprod) * eps;
  }

  private static INDArray formula(Parameterization parameterization) {
    return switch (parameterization) {
      case EPSILON -> EPS;
      case X0 -> X0;
      case V ->
          each(
              (x0, eps, t) -> {
                double angle = Math.acos(Math.sqrt(SCHEDULE.alphasCumprod(t)));
                return Math.cos(angle) * eps - Math.sin(angle) * x0;
              });
      case FLOW -> each((x0, eps, t) -> eps - x0);
      // Song et al. 2023, appendix C.
      case CONSISTENCY ->
          each(
              (x0, eps, t) -> {
                double ratio = Math.sqrt(1 / SCHEDULE.alphasCumprod(t) - 1);
                double above = ratio - 0.002;
                double skip = 0.25 / (above * above + 0.25);
                double out = 0.5 * above / Math.sqrt(ratio * ratio + 0.25);
                return (x0 - skip * (x0 + ratio * eps)) / out;
              });
      // Karras et al. 2022, eq. 7 and table 1, in their own terms.
      case EDM ->
          each(
              (x0, eps, t) -> {
                double ratio = Math.sqrt(1 / SCHEDULE.alphasCumprod(t) - 1);
                double total = ratio * ratio + 0.25;
                double skip = 0.25 / total;
                double out = 0.5 * ratio / Math.sqrt(total);
                return (x0 - skip * (x0 + ratio * eps)) / out;
              });
      // The gradient of log N(z; x0, ρ²) in z = x0 + ρ ε.
      case SCORE ->
          each(
              (x0, eps, t) ->
                  -eps * Math.sqrt(SCHEDULE.alphasCumprod(t) / (1 - SCHEDULE.alphasCumprod(t))));
      // Bayes' rule for the two Gaussians q(x_{t-1} | x0) and q(x_t | x_{t-1}): precisions add.
      case MEAN ->
          each(
              (x0, eps, t) -> {
                double beta = SCHEDULE.betas(t);
                double previous = t == 0 ? 1 : SCHEDULE.alphasCumprod(t - 1);
                if (previous == 1) {
                  return x0;
                }
                double priorPrecision = 1 / (1 - previous);
                double likelihoodPrecision = (1 - beta) / beta;
                double fromStep = xt(x0, eps, t) / Math.sqrt(1 - beta);
                return (priorPrecision * Math.sqrt(previous) * x0 + likelihoodPrecision * fromStep)
                    / (priorPrecision + likelihoodPrecision);
              });
    };
  }

  @ParameterizedTest
  @EnumSource
  void targetsAreThePapersFormulas(Parameterization parameterization) {
    INDArray target = parameterization.target(SCHEDULE, X0, EPS, T);
    assertThat(target.distance2(formula(parameterization))).isLessThan(1e-10);
    assertThat(target.dataType()).isEqualTo(DataType.DOUBLE);
  }

  @ParameterizedTest
  @EnumSource
  void aPerfectPredictionTellsImageAndNoise(Parameterization parameterization) {
    INDArray xt = each(ParameterizationTest::xt);
    Denoiser.Estimate estimate =
        parameterization.estimate(SCHEDULE, xt, formula(parameterization), T);
    assertThat(estimate.x0().distance2(X0)).isLessThan(1e-9);
    assertThat(estimate.eps().distance2(EPS)).isLessThan(1e-9);
  }

  /**
   * x_T is noise alone there, and the posterior's mean √ᾱ_prev x0: docs/lessons/b.md, exercise 1.
   */
  @Test
  void allButTheNoiseTellTheImageWhereNoSignalIsLeft() {
    NoiseSchedule schedule =
        NoiseSchedule.of(new ZeroTerminalSnrSchedule(LinearSchedule.paper()), 1000);
    for (Parameterization parameterization : Parameterization.values()) {
      assertThat(parameterization.determinesX0(schedule, 999))
          .as("%s", parameterization)
          .isEqualTo(
              parameterization != Parameterization.EPSILON
                  && parameterization != Parameterization.SCORE);
    }
    double left = Math.sqrt(schedule.alphasCumprod(998));
    assertThat(left).isCloseTo(6.5e-5, within(0.05e-5));
    INDArray mean = X0.mul(left);
    int[] last = new int[(int) X0.size(0)];
    Arrays.fill(last, 999);
    Denoiser.Estimate estimate = Parameterization.MEAN.estimate(schedule, EPS, mean, last);
    assertThat(estimate.x0().distance2(X0)).isLessThan(1e-9);
    assertThat(estimate.eps().distance2(EPS)).isLessThan(1e-9);
  }

  /** An error, not numbers that are none; and no whole timestep in the place of another time. */
  @Test
  void whatDoesNotTellTheImageIsRefused() {
    NoiseSchedule schedule =
        NoiseSchedule.of(new ZeroTerminalSnrSchedule(LinearSchedule.paper()), 1000);
    NoiseLevel last = NoiseLevel.of(schedule, 999);
    assertThatThrownBy(() -> Parameterization.EPSILON.estimate(schedule, EPS, EPS, last))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("At timestep 999 nothing of the image is left")
        .hasMessageContaining("a prediction of epsilon does not tell it");
    NoiseLevel between = NoiseLevel.between(schedule, 10.5);
    assertThatThrownBy(() -> Parameterization.MEAN.estimate(schedule, EPS, EPS, between))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("knows whole timesteps only and was asked at 10.5");
  }

  /** Also of a wrong prediction: its two parts make x_t again. */
  @ParameterizedTest
  @EnumSource
  void estimatesAreConsistent(Parameterization parameterization) {
    INDArray xt = each(ParameterizationTest::xt);
    Denoiser.Estimate estimate = parameterization.estimate(SCHEDULE, xt, gaussian(3), T);
    INDArray again = new ForwardProcess(SCHEDULE).qSample(estimate.x0(), T, estimate.eps());
    assertThat(again.distance2(xt)).isLessThan(1e-9);
  }

  /** Ho et al. 2020, eq. 11. */
  @Test
  void theMeanOfAPredictedNoiseIsThatOfAlgorithm2() {
    INDArray xt = each(ParameterizationTest::xt);
    INDArray noise = gaussian(4);
    Denoiser.Estimate estimate = Parameterization.EPSILON.estimate(SCHEDULE, xt, noise, T);
    INDArray mean = Parameterization.MEAN.target(SCHEDULE, estimate.x0(), estimate.eps(), T);
    for (int n = 0; n < T.length; n++) {
      double beta = SCHEDULE.betas(T[n]);
      double cumprod = SCHEDULE.alphasCumprod(T[n]);
      for (long i = n * 18L; i < (n + 1) * 18L; i++) {
        double expected =
            (xt.getDouble(i) - beta / Math.sqrt(1 - cumprod) * noise.getDouble(i))
                / Math.sqrt(1 - beta);
        assertThat(mean.getDouble(i)).isCloseTo(expected, within(1e-9));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void theSlopeIsThatOfTheEstimate(Parameterization parameterization) {
    NoiseSchedule schedule = NoiseSchedule.of(CosineSchedule.paper(), 50);
    INDArray xt = gaussian(5).get(NDArrayIndex.interval(0, 1));
    for (int t : new int[] {0, 20, 49}) {
      INDArray low = parameterization.estimate(schedule, xt, xt.mul(0), t).x0();
      INDArray high = parameterization.estimate(schedule, xt, xt.mul(0).addi(1), t).x0();
      double slope = parameterization.x0Slope(schedule, t);
      assertThat(high.getDouble(4) - low.getDouble(4))
          .isCloseTo(slope, within(1e-9 * Math.abs(slope)));
    }
  }

  @Test
  void shapesAndTimestepsAreChecked() {
    assertThatThrownBy(() -> Parameterization.V.target(SCHEDULE, X0, EPS, 1, 2))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("2 timesteps were given for 6 images");
    assertThatThrownBy(() -> Parameterization.V.estimate(SCHEDULE, X0, X0, 0, 1, 2, 3, 4, 1000))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  /** It is given (1-s) x0 + s ε and asked with s T, whatever the chain. */
  @Test
  void aNetworkOfAFlowSeesTheFlow() {
    NoiseSchedule flow = NoiseSchedule.of(FlowSchedule.straight(), 1000);
    INDArray x0 = X0.get(NDArrayIndex.interval(0, 2));
    INDArray eps = EPS.get(NDArrayIndex.interval(0, 2));
    for (int t : new int[] {0, 300, 999}) {
      double s = (t + 1) / 1000.0;
      INDArray z = x0.mul(1 - s).addi(eps.mul(s));
      Network oracle =
          (x, times) -> {
            assertThat(x.distance2(z)).isLessThan(1e-9);
            assertThat(times.getDouble(1)).isCloseTo(t + 1, within(1e-9));
            return eps.sub(x0);
          };
      INDArray xt = new ForwardProcess(flow).qSample(x0, new int[] {t, t}, eps);
      Denoiser.Estimate estimate =
          new NetworkDenoiser(oracle, Parameterization.FLOW, flow).denoise(xt, t);
      assertThat(estimate.x0().distance2(x0)).isLessThan(1e-9);
      assertThat(estimate.eps().distance2(eps)).isLessThan(1e-9);
    }
  }

  /** It is given c_in z, z = x0 + ρ ε, and asked with log(ρ)/4 (Karras et al. 2022, table 1). */
  @Test
  void aPreconditionedNetworkSeesUnitVariance() {
    NoiseSchedule schedule = NoiseSchedule.of(EdmSchedule.paper(), 1000);
    INDArray x0 = X0.get(NDArrayIndex.interval(0, 2));
    INDArray eps = EPS.get(NDArrayIndex.interval(0, 2));
    for (int t : new int[] {0, 500, 999}) {
      double ratio = Math.sqrt(1 / schedule.alphasCumprod(t) - 1);
      INDArray z = x0.add(eps.mul(ratio));
      double total = ratio * ratio + 0.25;
      INDArray answer = x0.sub(z.mul(0.25 / total)).div(0.5 * ratio / Math.sqrt(total));
      Network oracle =
          (x, times) -> {
            assertThat(x.distance2(z.div(Math.sqrt(total)))).isLessThan(1e-8);
            assertThat(times.getDouble(1)).isCloseTo(Math.log(ratio) / 4, within(1e-9));
            return answer;
          };
      INDArray xt = new ForwardProcess(schedule).qSample(x0, new int[] {t, t}, eps);
      Denoiser.Estimate estimate =
          new NetworkDenoiser(oracle, Parameterization.EDM, schedule).denoise(xt, t);
      assertThat(estimate.x0().distance2(x0)).isLessThan(1e-7);
      assertThat(estimate.eps().distance2(eps)).isLessThan(1e-7 * Math.max(1, 1 / ratio));
    }
  }

  /** Song et al. 2021b: the network sees z = x0 + ρ ε and ρ itself. */
  @Test
  void aNetworkOfTheScoreSeesTheNoiseUnscaled() {
    INDArray x0 = X0.get(NDArrayIndex.interval(0, 2));
    INDArray eps = EPS.get(NDArrayIndex.interval(0, 2));
    double ratio = Math.sqrt(1 / SCHEDULE.alphasCumprod(300) - 1);
    Network oracle =
        (x, times) -> {
          assertThat(x.distance2(x0.add(eps.mul(ratio)))).isLessThan(1e-8);
          assertThat(times.getDouble(1)).isCloseTo(ratio, within(1e-12));
          return eps.div(-ratio);
        };
    INDArray xt = new ForwardProcess(SCHEDULE).qSample(x0, new int[] {300, 300}, eps);
    Denoiser.Estimate estimate =
        new NetworkDenoiser(oracle, Parameterization.SCORE, SCHEDULE).denoise(xt, 300);
    assertThat(estimate.x0().distance2(x0)).isLessThan(1e-8);
    assertThat(estimate.eps().distance2(eps)).isLessThan(1e-8);
  }

  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"FLOW", "EDM", "CONSISTENCY", "SCORE"})
  void aNetworkBecomesADenoiser(Parameterization parameterization) {
    INDArray x0 = X0.get(NDArrayIndex.interval(0, 2));
    INDArray eps = EPS.get(NDArrayIndex.interval(0, 2));
    int[] t = {300, 300};
    INDArray xt = new ForwardProcess(SCHEDULE).qSample(x0, t, eps);
    Network oracle =
        (x, timesteps) -> {
          assertThat(x).isSameAs(xt);
          assertThat(timesteps.toIntVector()).containsExactly(t);
          return parameterization.target(SCHEDULE, x0, eps, t);
        };
    Denoiser.Estimate estimate =
        new NetworkDenoiser(oracle, parameterization, SCHEDULE).denoise(xt, 300);
    assertThat(estimate.x0().distance2(x0)).isLessThan(1e-9);
    assertThat(estimate.varianceInterpolation()).isEmpty();

    INDArray v = gaussian(6).get(NDArrayIndex.interval(0, 2));
    Network learned = (x, timesteps) -> Nd4j.concat(1, oracle.predict(x, timesteps), v);
    Denoiser.Estimate both =
        new NetworkDenoiser(learned, parameterization, SCHEDULE).denoise(xt, 300);
    assertThat(both.x0().distance2(x0)).isLessThan(1e-9);
    assertThat(both.varianceInterpolation()).isEqualTo(Optional.of(v.dup()));

    Network wrong = (x, timesteps) -> Nd4j.concat(1, v, v, v);
    assertThatThrownBy(
            () -> new NetworkDenoiser(wrong, parameterization, SCHEDULE).denoise(xt, 300))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("images of the shape [2, 2, 3, 3] with [2, 6, 3, 3]");
  }
}
