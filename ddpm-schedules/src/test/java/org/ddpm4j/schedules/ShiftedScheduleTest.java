package org.ddpm4j.schedules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class ShiftedScheduleTest {

  private static final int TIMESTEPS = 50;

  private static double logSnr(BetaSchedule schedule, int t) {
    double alphaCumprod = NoiseSchedule.of(schedule, TIMESTEPS).alphasCumprod(t);
    return Math.log(alphaCumprod / (1 - alphaCumprod));
  }

  /** Hoogeboom et al. 2023: images of 256 pixels by 2 log(64/256). */
  @Test
  void theLogarithmOfTheSignalToNoiseRatioMoves() {
    BetaSchedule base = LinearSchedule.paper().scaledTo(TIMESTEPS);
    BetaSchedule shifted = new ShiftedSchedule(base, 256 / 64.0);
    for (int t = 0; t < TIMESTEPS; t++) {
      assertThat(logSnr(shifted, t))
          .isCloseTo(logSnr(base, t) + 2 * Math.log(64.0 / 256), within(1e-9));
    }
  }

  /** What flows and Karras' ratios call their shift and their ends is the same. */
  @Test
  void flowsAndRatiosHaveItByTheirOwnFormulas() {
    BetaSchedule flow = new ShiftedSchedule(FlowSchedule.straight(), 3);
    BetaSchedule ratios = new ShiftedSchedule(EdmSchedule.paper(), 0.5);
    for (int t = 0; t < TIMESTEPS - 1; t++) {
      assertThat(logSnr(flow, t)).isCloseTo(logSnr(new FlowSchedule(3), t), within(1e-9));
      assertThat(logSnr(ratios, t)).isCloseTo(logSnr(new EdmSchedule(0.001, 40), t), within(1e-9));
    }
    // The end of a flow is all noise, shifted or not.
    assertThat(NoiseSchedule.of(flow, TIMESTEPS).alphasCumprod(TIMESTEPS - 1)).isZero();
  }

  @Test
  void whatIsNoFactorIsRefused() {
    for (double factor : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> new ShiftedSchedule(LinearSchedule.paper(), factor))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("it must be positive and finite");
    }
  }
}
