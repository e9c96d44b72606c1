package org.ddpm4j.schedules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LinearScheduleTest {

  @Test
  void endPointsAreExact() {
    for (int timesteps : new int[] {2, 7, 600, 1000}) {
      double[] betas = LinearSchedule.paper().betas(timesteps);

      assertThat(betas).hasSize(timesteps);
      assertThat(betas[0]).isEqualTo(1e-4);
      assertThat(betas[timesteps - 1]).isEqualTo(0.02);
    }
  }

  @Test
  void aSingleTimestepIsTheStart() {
    assertThat(LinearSchedule.paper().betas(1)).containsExactly(1e-4);
  }

  @Test
  void equalEndsGiveAConstantSchedule() {
    assertThat(new LinearSchedule(0.02, 0.02).betas(3)).containsExactly(0.02, 0.02, 0.02);
  }

  @Test
  void unscaledShortChainKeepsSignal() {
    double terminal = NoiseSchedule.of(LinearSchedule.paper(), 600).alphasCumprod(599);

    assertThat(terminal).isCloseTo(2.3e-3, within(0.05e-3));
    assertThat(Math.sqrt(terminal)).isCloseTo(0.048, within(0.0005));
  }

  @Test
  void scaledShortChainLosesItAsThePapersChainDoes() {
    LinearSchedule scaled = LinearSchedule.paper().scaledTo(600);

    assertThat(NoiseSchedule.of(scaled, 600).alphasCumprod(599)).isCloseTo(3.9e-5, within(0.05e-5));
    assertThat(scaled.betaStart()).isCloseTo(1e-4 / 0.6, within(1e-18));
    assertThat(scaled.betaEnd()).isCloseTo(0.02 / 0.6, within(1e-16));
  }

  @Test
  void scalingToThePapersLengthChangesNothing() {
    assertThat(LinearSchedule.paper().scaledTo(1000)).isEqualTo(LinearSchedule.paper());
  }

  @Test
  void scalingSavesALongChainFromPureNoise() {
    double[] unscaled = alphasCumprod(LinearSchedule.paper(), 10_000);
    double[] scaled = alphasCumprod(LinearSchedule.paper().scaledTo(10_000), 10_000);

    assertThat(unscaled[2988]).isGreaterThan(1e-4);
    assertThat(unscaled[2989]).isLessThan(1e-4);
    assertThat(unscaled[9999]).isCloseTo(1.1e-44, within(0.05e-44));
    assertThat(scaled[9999]).isBetween(4.0e-5, 4.5e-5);
  }

  @Test
  void scalingToTooFewTimestepsIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LinearSchedule.paper().scaledTo(20))
        .withMessageContaining("Scaled to 20 timesteps, beta end would be 1.0")
        .withMessageContaining("more than 20 timesteps");
    assertThat(LinearSchedule.paper().scaledTo(21).betaEnd()).isLessThan(1);
    assertThatIllegalArgumentException().isThrownBy(() -> LinearSchedule.paper().scaledTo(0));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0.02, Beta start is 0.0",
    "-1e-4, 0.02, Beta start is -1.0E-4",
    "NaN, 0.02, Beta start is NaN",
    "1e-4, 1, Beta end is 1.0",
    "1e-4, Infinity, Beta end is Infinity",
    "0.02, 1e-4, 'Beta end is 1.0E-4, less than beta start, which is 0.02'",
  })
  void valuesOutsideTheirRangeAreRefused(double start, double end, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new LinearSchedule(start, end))
        .withMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, Integer.MIN_VALUE})
  void aChainWithoutTimestepsIsRefused(int timesteps) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LinearSchedule.paper().betas(timesteps))
        .withMessageContaining("number of timesteps is " + timesteps);
  }

  private static double[] alphasCumprod(BetaSchedule schedule, int timesteps) {
    return NoiseSchedule.of(schedule, timesteps).values(ScheduleConstant.ALPHAS_CUMPROD);
  }
}
