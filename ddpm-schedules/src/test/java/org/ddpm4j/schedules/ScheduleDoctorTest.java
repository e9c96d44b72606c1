package org.ddpm4j.schedules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.groups.Tuple.tuple;

import org.ddpm4j.schedules.ScheduleReport.Advice;
import org.ddpm4j.schedules.ScheduleReport.Finding;
import org.ddpm4j.schedules.ScheduleReport.Float32Loss;
import org.ddpm4j.schedules.ScheduleReport.Range;
import org.ddpm4j.schedules.ScheduleReport.Severity;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScheduleDoctorTest {

  private static ScheduleReport examine(BetaSchedule schedule, int timesteps) {
    return ScheduleDoctor.examine(schedule, timesteps, DataRange.pixels());
  }

  private static Advice only(ScheduleReport report) {
    assertThat(report.advice()).hasSize(1);
    return report.advice().get(0);
  }

  @Test
  void thePapersScheduleIsSound() {
    ScheduleReport report = examine(LinearSchedule.paper(), 1000);

    assertThat(report.terminalAlphaCumprod()).isCloseTo(4.04e-5, within(0.005e-5));
    assertThat(report.advice()).isEmpty();
    assertThat(report.float32Losses()).isEmpty();
    assertThat(report.pureNoiseShare()).isCloseTo(0.05, within(0.01));
    assertThat(report.lines()).contains("advice        none, this schedule is sound");
  }

  @Test
  void aShortLinearChainLeavesSignal() {
    ScheduleReport report = examine(LinearSchedule.paper(), 600);

    assertThat(report.terminalAlphaCumprod()).isCloseTo(2.3e-3, within(0.05e-3));
    assertThat(report.terminalSqrtAlphaCumprod()).isCloseTo(0.048, within(0.0005));
    assertThat(report.signalLeft()).isEqualTo(report.terminalSqrtAlphaCumprod());
    assertThat(report.firstPureNoise()).isEmpty();
    assertThat(report.pureNoiseShare()).isZero();
    assertThat(only(report).finding()).isEqualTo(Finding.SIGNAL_LEFT);
    assertThat(only(report).severity()).isEqualTo(Severity.WARNING);
    assertThat(only(report).text())
        .contains("still shows 0.0481")
        .contains("multiply the betas by about 1.7, or take about 1000 timesteps");
  }

  @Test
  void scaledItDoesNot() {
    ScheduleReport report = examine(LinearSchedule.paper().scaledTo(600), 600);

    assertThat(report.terminalAlphaCumprod()).isCloseTo(3.9e-5, within(0.05e-5));
    assertThat(report.advice()).isEmpty();
  }

  @Test
  void aLowCeilingOfTheCosineIsFound() {
    ScheduleReport report = examine(new CosineSchedule(0.008, 1e-4, 0.02), 600);

    assertThat(report.clipping()).isEqualTo(new Clipping(3, 97));
    assertThat(report.terminalAlphaCumprod()).isCloseTo(8.8e-3, within(0.05e-3));
    assertThat(report.advice())
        .extracting(Advice::finding)
        .containsExactly(Finding.CLIPPED, Finding.SIGNAL_LEFT);
    assertThat(report.advice().get(0).text()).contains("lowers 97 of 600 betas");
    assertThat(report.advice().get(1).text()).endsWith("; raise the ceiling.");
  }

  @ParameterizedTest
  @ValueSource(ints = {200, 600, 1000, 4000})
  void theCosineOfThePaperIsSound(int timesteps) {
    ScheduleReport report = examine(CosineSchedule.paper(), timesteps);

    assertThat(report.clipping()).isEqualTo(new Clipping(0, 1));
    assertThat(report.terminalAlphaCumprod()).isLessThan(1e-7);
    assertThat(report.advice()).isEmpty();
  }

  @Test
  void anUnscaledLongChainIsMostlyNoise() {
    ScheduleReport report = examine(LinearSchedule.paper(), 10_000);

    assertThat(report.terminalAlphaCumprod()).isCloseTo(1.1e-44, within(0.05e-44));
    assertThat(report.firstPureNoise()).hasValue(2989);
    assertThat(report.pureNoiseShare()).isCloseTo(0.7011, within(1e-12));
    assertThat(report.advice())
        .extracting(Advice::finding)
        .containsExactly(Finding.PURE_NOISE, Finding.FLOAT32);
    assertThat(report.advice().get(0).severity()).isEqualTo(Severity.PROBLEM);
    assertThat(report.advice().get(0).text())
        .contains("70 % of the timesteps, from t = 2989 on")
        .contains("multiply the betas by about 0.10, or take about 1000 timesteps");
    assertThat(report.advice().get(1).text()).contains("1/alphas_cumprod overflows from t = ");
  }

  /** 2⁻¹²⁶ is float's least normal number and (2 - 2⁻²³)·2¹²⁷ its greatest. */
  @Test
  void whatFloat32CannotHoldIsListed() {
    ScheduleReport report = examine(LinearSchedule.paper(), 10_000);
    NoiseSchedule schedule = report.schedule();

    assertThat(report.float32Losses())
        .extracting(Float32Loss::quantity, Float32Loss::range)
        .containsExactlyInAnyOrder(
            tuple("alphas_cumprod", Range.SUBNORMAL),
            tuple("alphas_cumprod_prev", Range.SUBNORMAL),
            tuple("snr", Range.SUBNORMAL),
            tuple("1/alphas_cumprod", Range.OVERFLOW));
    for (Float32Loss loss : report.float32Losses()) {
      int t = loss.firstTimestep();
      assertThat(loss.count()).isEqualTo(10_000 - t);
      if (loss.quantity().equals("alphas_cumprod")) {
        assertThat(schedule.alphasCumprod(t)).isLessThan(Math.pow(2, -126));
        assertThat(schedule.alphasCumprod(t - 1)).isGreaterThan(Math.pow(2, -126));
      }
      if (loss.quantity().equals("1/alphas_cumprod")) {
        assertThat(schedule.alphasCumprod(t)).isLessThan(Math.pow(2, -128));
        assertThat(schedule.alphasCumprod(t - 1)).isGreaterThan(Math.pow(2, -128));
      }
    }
    // The square root, in double precision and then cast, is well in range.
    assertThat((float) schedule.sqrtRecipAlphasCumprod(9999)).isBetween(9e21f, 1e22f);
  }

  @Test
  void underflowIsListed() {
    ScheduleReport report = examine(new ConstantSchedule(0.9), 60); // ᾱ_T = 1e-60

    assertThat(report.float32Losses())
        .extracting(Float32Loss::range)
        .contains(Range.UNDERFLOW, Range.SUBNORMAL, Range.OVERFLOW);
  }

  @Test
  void zeroTerminalSnrIsNotedAndNoOverflow() {
    ScheduleReport report = examine(new ZeroTerminalSnrSchedule(LinearSchedule.paper()), 1000);

    assertThat(report.terminalAlphaCumprod()).isZero();
    assertThat(report.klBitsPerDim()).isZero();
    assertThat(report.float32Losses()).isEmpty();
    assertThat(only(report).finding()).isEqualTo(Finding.ZERO_TERMINAL_SNR);
    assertThat(only(report).severity()).isEqualTo(Severity.NOTE);
  }

  @Test
  void aLoudFirstTimestepIsFound() {
    ScheduleReport report = examine(ConstantSchedule.paperEnd(), 500);

    assertThat(only(report).finding()).isEqualTo(Finding.NOISY_START);
    assertThat(only(report).text()).contains("noise of 0.14 of");
  }

  @Test
  void theGravestComesFirst() {
    ScheduleReport report = examine(ConstantSchedule.paperEnd(), 1000);

    assertThat(report.advice())
        .extracting(Advice::finding, Advice::severity)
        .containsExactly(
            tuple(Finding.PURE_NOISE, Severity.PROBLEM),
            tuple(Finding.NOISY_START, Severity.WARNING));
    ScheduleReport short20 = examine(LinearSchedule.paper(), 20);
    assertThat(only(short20).severity()).isEqualTo(Severity.PROBLEM);
  }

  @Test
  void theDatasRangeDecides() {
    double[] means = {0.485, 0.456, 0.406};
    double[] deviations = {0.229, 0.224, 0.225};
    DataRange imageNet = DataRange.standardized(means, deviations);

    assertThat(imageNet.largest()).isCloseTo(2.64, within(0.005));
    assertThat(imageNet.meanSquare()).isEqualTo(1);
    ScheduleReport report = ScheduleDoctor.examine(LinearSchedule.paper(), 600, imageNet);
    assertThat(report.signalLeft()).isCloseTo(2.64 * 0.0481, within(0.001));
    assertThat(report.klBitsPerDim())
        .isEqualTo(examine(LinearSchedule.paper(), 600).klBitsPerDim());
    assertThat(
            ScheduleDoctor.examine(LinearSchedule.paper(), 600, DataRange.ofLargest(0.3)).advice())
        .isEmpty();
  }

  /** For x0 = ±1 and ᾱ = 1/2: (1/2 - 1/2 + log 2) / 2 nats are half a bit. */
  @Test
  void divergenceByHand() {
    assertThat(examine(timesteps -> new double[] {0.5}, 1).klBitsPerDim())
        .isCloseTo(0.5, within(1e-15));
    // x² = 1/2 on average takes (1/4 - 1/2 + log 2) / 2.
    assertThat(
            ScheduleDoctor.examine(t -> new double[] {0.5}, 1, new DataRange(1, 0.5))
                .klBitsPerDim())
        .isCloseTo((0.25 - 0.5 + Math.log(2)) / 2 / Math.log(2), within(1e-15));
  }

  /** Half of the signal goes at each timestep: ᾱ_t = 2^-(t+1), all of it by hand. */
  @Test
  void theLinesSayWhatWasFound() {
    assertThat(examine(new ConstantSchedule(0.5), 20).lines())
        .containsExactly(
            "end           alphas_cumprod 9.54e-7, its root 9.77e-4",
            "signal left   9.77e-4 beside noise of 1 (largest value 1.00, root mean square 1.00)",
            "KL from noise 6.88e-7 bits/dim",
            "pure noise    alphas_cumprod below 1e-4 from t = 13 on, 35.0 % of the chain",
            "clipped       0 betas lowered to the ceiling, 0 raised to the floor",
            "float32       holds every constant",
            "warning       35 % of the timesteps, from t = 13 on, hold next to no signal, so that this"
                + " share of training and sampling is wasted; multiply the betas by about 0.73, or"
                + " take about 15 timesteps.",
            "warning       Already the first timestep adds noise of 1.0 of the data's root mean square;"
                + " finer details than that are never denoised, so begin with a smaller beta.");
  }

  /** The factor would be 10.1 / log 8 = 4.9, but no β is 2.4. */
  @Test
  void whatCannotBeScaledIsNot() {
    ScheduleReport report = examine(new ConstantSchedule(0.5), 3);

    assertThat(report.advice().get(0).text())
        .contains("still shows 0.354 of")
        .contains("; take another number of timesteps than 3, or other betas, take a cosine");
    assertThat(report.lines())
        .contains("pure noise    none, alphas_cumprod stays above 1e-4")
        .contains(
            "signal left   0.354 beside noise of 1 (largest value 1.00, root mean square 1.00)");
  }

  /** The ceiling is found first, but 0.98¹⁰⁰ leaves more than a third of the signal. */
  @Test
  void whatIsFoundLaterMayBeGraver() {
    ScheduleReport report = examine(new CosineSchedule(0.008, 0, 0.02), 100);

    assertThat(report.advice())
        .extracting(Advice::finding, Advice::severity)
        .containsExactly(
            tuple(Finding.SIGNAL_LEFT, Severity.PROBLEM), tuple(Finding.CLIPPED, Severity.WARNING));
  }

  /** The first channel reaches farther below 0 than above, and farther than the second. */
  @Test
  void theFarthestChannelIsTheLargest() {
    DataRange range = DataRange.standardized(new double[] {0.8, 0.3}, new double[] {0.25, 0.5});

    assertThat(range.largest()).isCloseTo(0.8 / 0.25, within(1e-15));
  }

  /** The integral of q(x) log(q(x)/p(x)) as a sum over a fine grid, for x0 = 1. */
  @Test
  void divergenceByIntegration() {
    ScheduleReport report = examine(LinearSchedule.paper(), 300);
    double mean = report.terminalSqrtAlphaCumprod();
    double variance = 1 - report.terminalAlphaCumprod();
    double bits = 0;
    double step = 1e-3;
    for (double x = -12; x < 12; x += step) {
      double logQ =
          -(x - mean) * (x - mean) / (2 * variance) - Math.log(2 * Math.PI * variance) / 2;
      double logP = -x * x / 2 - Math.log(2 * Math.PI) / 2;
      bits += Math.exp(logQ) * (logQ - logP) / Math.log(2) * step;
    }
    assertThat(report.klBitsPerDim()).isCloseTo(bits, within(1e-9));
  }

  @Test
  void badRangesAreRefused() {
    for (double bad : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> DataRange.ofLargest(bad))
          .withMessageContaining("largest |x| of the data is " + bad);
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new DataRange(2, 4.1))
        .withMessageContaining("4.1")
        .withMessageContaining("4.0");
    assertThatIllegalArgumentException().isThrownBy(() -> new DataRange(2, 0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DataRange.standardized(new double[] {0.5}, new double[] {1, 1}))
        .withMessageContaining("1 means and 2 standard deviations");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DataRange.standardized(new double[] {0.5, 0.5}, new double[] {1, 0}))
        .withMessageContaining("Channel 1");
  }

  @Test
  void aScheduleWithoutConstantsIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> examine(new ConstantSchedule(0.9999), 100))
        .withMessageContaining("too small for double precision");
  }
}
