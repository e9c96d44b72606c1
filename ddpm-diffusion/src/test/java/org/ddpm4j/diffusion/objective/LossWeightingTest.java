package org.ddpm4j.diffusion.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.ZeroTerminalSnrSchedule;
import org.junit.jupiter.api.Test;

class LossWeightingTest {

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper(), 1000);
  private static final List<Integer> TIMES = List.of(0, 3, 100, 257, 500, 999);

  @Test
  void uniformIsOne() {
    for (Parameterization parameterization : Parameterization.values()) {
      assertThat(new LossWeighting.Uniform().weight(parameterization, SCHEDULE, 7)).isEqualTo(1);
    }
  }

  /** Hang et al. 2023, section 3.4: the weights for x0, ε and v. */
  @Test
  void minSnr() {
    LossWeighting weighting = new LossWeighting.MinSnr(5);
    for (int t : TIMES) {
      double snr = SCHEDULE.alphasCumprod(t) / (1 - SCHEDULE.alphasCumprod(t));
      double clipped = Math.min(snr, 5);
      requireClose(weighting.weight(Parameterization.X0, SCHEDULE, t), clipped);
      requireClose(weighting.weight(Parameterization.EPSILON, SCHEDULE, t), clipped / snr);
      requireClose(weighting.weight(Parameterization.V, SCHEDULE, t), clipped / (snr + 1));
    }
  }

  /** Choi et al. 2022, eq. 8. */
  @Test
  void p2() {
    LossWeighting weighting = new LossWeighting.P2(0.5, 2);
    for (int t : TIMES) {
      double snr = SCHEDULE.alphasCumprod(t) / (1 - SCHEDULE.alphasCumprod(t));
      requireClose(weighting.weight(Parameterization.EPSILON, SCHEDULE, t), 1 / Math.sqrt(2 + snr));
      requireClose(weighting.weight(Parameterization.X0, SCHEDULE, t), snr / Math.sqrt(2 + snr));
    }
  }

  @Test
  void whereNoSignalIsLeftUniformAloneHasAWeight() {
    NoiseSchedule schedule =
        NoiseSchedule.of(new ZeroTerminalSnrSchedule(LinearSchedule.paper()), 1000);
    for (Parameterization parameterization : List.of(Parameterization.X0, Parameterization.V)) {
      assertThat(new LossWeighting.Uniform().weight(parameterization, schedule, 999)).isEqualTo(1);
      assertThat(new LossWeighting.MinSnr(5).weight(parameterization, schedule, 999)).isZero();
      assertThat(new LossWeighting.P2(1, 1).weight(parameterization, schedule, 999)).isZero();
    }
  }

  /** The same mistake costs the same, whatever the network predicts. */
  @Test
  void parameterisationsAgree() {
    for (LossWeighting weighting :
        List.of(new LossWeighting.MinSnr(5), new LossWeighting.P2(1, 1))) {
      for (int t : TIMES) {
        double expected = weighting.weight(Parameterization.X0, SCHEDULE, t) * 0.01;
        for (Parameterization parameterization : Parameterization.values()) {
          double error = 0.1 / parameterization.x0Slope(SCHEDULE, t);
          requireClose(weighting.weight(parameterization, SCHEDULE, t) * error * error, expected);
        }
      }
    }
  }

  private static void requireClose(double actual, double expected) {
    assertThat(actual).isCloseTo(expected, within(1e-9 * expected));
  }

  @Test
  void constantsMustBePositive() {
    assertThatThrownBy(() -> new LossWeighting.MinSnr(0))
        .hasMessage("γ of the min-SNR weighting is 0.0; it must be above 0 and finite.");
    assertThatThrownBy(() -> new LossWeighting.P2(1, Double.NaN))
        .hasMessage("k of the P2 weighting is NaN; it must be above 0 and finite.");
    assertThatThrownBy(() -> new LossWeighting.P2(-1, 1)).hasMessageContaining("γ of the P2");
  }
}
