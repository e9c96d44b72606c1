package org.ddpm4j.schedules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The formulas beside the linear and the cosine one. */
class BetaScheduleTest {

  static Stream<BetaSchedule> schedules() {
    return Stream.of(
        QuadraticSchedule.paperEnds(),
        QuadraticSchedule.scaledLinear(),
        SigmoidSchedule.paperEnds(),
        ConstantSchedule.paperEnd(),
        new JsdSchedule(),
        new ZeroTerminalSnrSchedule(QuadraticSchedule.scaledLinear()));
  }

  static Stream<BiFunction<Double, Double, BetaSchedule>> betweenTwoEnds() {
    return Stream.of(LinearSchedule::new, QuadraticSchedule::new, SigmoidSchedule::new);
  }

  @ParameterizedTest
  @MethodSource("schedules")
  void betasNeverFall(BetaSchedule schedule) {
    double[] betas = schedule.betas(500);

    assertThat(betas).hasSize(500).isSorted();
    assertThat(betas[0]).isPositive();
    assertThat(betas[499]).isLessThanOrEqualTo(1);
  }

  @ParameterizedTest
  @MethodSource("schedules")
  void aChainWithoutTimestepsIsRefused(BetaSchedule schedule) {
    for (int timesteps : new int[] {0, -1}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> schedule.betas(timesteps))
          .withMessageContaining("number of timesteps is " + timesteps);
      assertThatIllegalArgumentException().isThrownBy(() -> schedule.clipping(timesteps));
    }
  }

  @ParameterizedTest
  @MethodSource("betweenTwoEnds")
  void endsOutsideTheirRangeAreRefused(BiFunction<Double, Double, BetaSchedule> schedule) {
    for (double bad : new double[] {0, 1, -1e-4, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> schedule.apply(bad, 0.5))
          .withMessageContaining("Beta start is " + bad);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> schedule.apply(0.5, bad))
          .withMessageContaining("Beta end is " + bad);
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> schedule.apply(0.5, 0.4))
        .withMessageContaining("Beta end is 0.4, less than beta start, which is 0.5");
  }

  @Test
  void rootsOfQuadraticBetasAreEvenlySpaced() {
    double[] betas = new QuadraticSchedule(0.01, 0.25).betas(5); // roots 0.1, 0.2, … 0.5

    assertThat(betas).containsExactly(new double[] {0.01, 0.04, 0.09, 0.16, 0.25}, within(1e-15));
    assertThat(new QuadraticSchedule(0.01, 0.25).betas(1))
        .containsExactly(new double[] {0.01}, within(1e-15));
  }

  @Test
  void latentDiffusionLeavesSignal() {
    NoiseSchedule schedule = NoiseSchedule.of(QuadraticSchedule.scaledLinear(), 1000);

    assertThat(schedule.alphasCumprod(999))
        .isCloseTo(4.7e-3, within(0.05e-3)); // Lin et al., fig. 1
    assertThat(schedule.sqrtAlphasCumprod(999)).isCloseTo(0.068265, within(5e-7)); // table 1
  }

  /** σ(-6), σ(0) = 1/2 and σ(6) = 1 - σ(-6), by hand. */
  @Test
  void theSigmoidIsSymmetricAboutItsMiddle() {
    double[] betas = new SigmoidSchedule(0.1, 0.5).betas(3);

    assertThat(betas[0]).isCloseTo(0.1 + 0.4 * 0.0024726231566, within(1e-12));
    assertThat(betas[1]).isCloseTo(0.3, within(1e-15));
    assertThat(betas[0] + betas[2]).isCloseTo(0.6, within(1e-15));
  }

  @Test
  void aConstantBetaMakesAPowerOfAlpha() {
    NoiseSchedule schedule = NoiseSchedule.of(new ConstantSchedule(0.5), 10);

    assertThat(schedule.alphasCumprod(9)).isEqualTo(1 / 1024.0);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ConstantSchedule(1))
        .withMessageContaining("beta is 1.0");
  }

  @Test
  void jsdErasesTheSameShareEachTime() {
    NoiseSchedule schedule = NoiseSchedule.of(new JsdSchedule(), 250);

    for (int t = 0; t < 250; t++) {
      assertThat(schedule.alphasCumprod(t)).isCloseTo(1 - (t + 1) / 250.0, within(1e-14));
    }
    assertThat(schedule.betas(249)).isEqualTo(1);
    assertThat(new JsdSchedule().betas(1)).containsExactly(1);
  }

  @Test
  void rescalingKeepsTheFirstAndRemovesTheLast() {
    NoiseSchedule base = NoiseSchedule.of(LinearSchedule.paper(), 100);
    NoiseSchedule rescaled =
        NoiseSchedule.of(new ZeroTerminalSnrSchedule(LinearSchedule.paper()), 100);

    assertThat(rescaled.alphasCumprod(0)).isCloseTo(base.alphasCumprod(0), within(1e-15));
    assertThat(rescaled.betas(99)).isEqualTo(1);
    assertThat(rescaled.snr(99)).isZero();
    // √ᾱ is moved by a straight line, so that ratios of differences stay.
    double before = base.sqrtAlphasCumprod(20) - base.sqrtAlphasCumprod(60);
    double after = rescaled.sqrtAlphasCumprod(20) - rescaled.sqrtAlphasCumprod(60);
    double wholeBefore = base.sqrtAlphasCumprod(0) - base.sqrtAlphasCumprod(99);
    assertThat(after / before)
        .isCloseTo(rescaled.sqrtAlphasCumprod(0) / wholeBefore, within(1e-12));
  }

  @Test
  void whatEndsInNoiseNeedsNoRescaling() {
    assertThat(new ZeroTerminalSnrSchedule(new JsdSchedule()).betas(20))
        .containsExactly(new JsdSchedule().betas(20));
    assertThat(new ZeroTerminalSnrSchedule(new CosineSchedule(0.008, 1e-4, 0.02)).clipping(600))
        .isEqualTo(new Clipping(3, 97));
  }

  @Test
  void aSingleTimestepCannotBeRescaled() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ZeroTerminalSnrSchedule(LinearSchedule.paper()).betas(1))
        .withMessageContaining("number of timesteps is 1")
        .withMessageContaining("at least 2");
  }

  /**
   * In exact numbers: β of e^(-rate u) is 1 - e^(-rate/T), the sigmoid's ᾱ(1) is 0, and the last β
   * of Laplace's squared ᾱ is 0.9995.
   */
  @Test
  void whatExceedsTheCeilingIsLoweredAndCounted() {
    Clipping one = new Clipping(0, 1);

    assertThat(ExponentialSchedule.diffusers().betas(1)).containsExactly(0.999);
    assertThat(ExponentialSchedule.diffusers().clipping(1)).isEqualTo(one);
    assertThat(ExponentialSchedule.diffusers().betas(2)[1])
        .isCloseTo(-Math.expm1(-6), within(1e-15));
    assertThat(ExponentialSchedule.diffusers().clipping(2)).isEqualTo(Clipping.NONE);
    assertThat(new ExponentialSchedule(30).betas(3)).containsExactly(0.999, 0.999, 0.999);
    assertThat(new ExponentialSchedule(30).clipping(3)).isEqualTo(new Clipping(0, 3));
    assertThat(SigmoidSignalSchedule.paper().betas(1000)[999]).isEqualTo(0.999);
    assertThat(SigmoidSignalSchedule.paper().betas(1000)[998])
        .isCloseTo(1 - (sigmoid(3) - sigmoid(2.994)) / (sigmoid(3) - sigmoid(2.988)), within(1e-9));
    assertThat(SigmoidSignalSchedule.paper().clipping(1000)).isEqualTo(one);
    assertThat(new LaplaceSchedule(2).betas(1000)[999]).isEqualTo(0.999);
    assertThat(new LaplaceSchedule(2).clipping(1000)).isEqualTo(one);
    assertThat(LaplaceSchedule.paper().clipping(1000)).isEqualTo(Clipping.NONE);
    assertThat(new ShiftedSchedule(SigmoidSignalSchedule.paper(), 2).clipping(1000)).isEqualTo(one);
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /** ᾱ = 1 - sin⁴(π u/2), and the angle is atan2(σ, √ᾱ) in quarter turns: 1/3 where σ is 1/2. */
  @Test
  void crashsNoiseIsASquaredSine() {
    NoiseSchedule schedule = NoiseSchedule.of(new CrashSchedule(), 40);

    for (int t = 0; t < 40; t++) {
      double sigma = (1 - Math.cos(Math.PI * (t + 1) / 40)) / 2;
      assertThat(schedule.alphasCumprod(t)).isCloseTo(1 - sigma * sigma, within(1e-14));
      assertThat(CrashSchedule.angle((t + 1) / 40.0))
          .isCloseTo(Math.atan2(sigma, Math.sqrt(1 - sigma * sigma)) * 2 / Math.PI, within(1e-7));
    }
    assertThat(CrashSchedule.angle(0.5)).isCloseTo(1 / 3.0, within(1e-15));
    assertThat(schedule.betas(39)).isEqualTo(1);
  }

  /** Evenly spaced seventh roots (Karras et al. 2022, eq. 5), and a geometric sequence. */
  @Test
  void ratiosGoFromTheirFirstToTheirLast() {
    NoiseSchedule edm = NoiseSchedule.of(new EdmSchedule(1, 128), 3);
    assertThat(1 / edm.snr(0)).isCloseTo(1, within(1e-12));
    assertThat(1 / edm.snr(1)).isCloseTo(Math.pow(1.5, 14), within(1e-9));
    assertThat(1 / edm.snr(2)).isCloseTo(128 * 128, within(1e-6));
    NoiseSchedule exploding = NoiseSchedule.of(new VarianceExplodingSchedule(0.5, 8), 3);
    assertThat(1 / exploding.snr(0)).isCloseTo(0.25, within(1e-12));
    assertThat(1 / exploding.snr(1)).isCloseTo(4, within(1e-12));
    assertThat(1 / exploding.snr(2)).isCloseTo(64, within(1e-9));

    for (double[] bad : new double[][] {{0, 1}, {1, 1}, {2, 1}, {1, Double.POSITIVE_INFINITY}}) {
      for (BiFunction<Double, Double, BetaSchedule> schedule :
          List.<BiFunction<Double, Double, BetaSchedule>>of(
              EdmSchedule::new, VarianceExplodingSchedule::new)) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> schedule.apply(bad[0], bad[1]))
            .withMessageContaining("cannot go from " + bad[0] + " to " + bad[1]);
      }
    }
  }

  @Test
  void lambdasClipNothing() {
    BetaSchedule lambda = timesteps -> new double[] {0.1};

    assertThat(lambda.clipping(1)).isEqualTo(Clipping.NONE);
    assertThatIllegalArgumentException().isThrownBy(() -> new Clipping(-1, 0));
  }
}
