package org.ddpm4j.diffusion.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.apache.commons.math3.distribution.NormalDistribution;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.ddpm4j.schedules.EdmSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.junit.jupiter.api.Test;

class LogNormalTimestepsTest {

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(EdmSchedule.paper(), 1000);
  private static final CounterRandom RANDOM = new CounterRandom(3, Purpose.TRAINING_TIMESTEPS);

  /** Karras et al. 2022, table 1: log σ is of N(-1.2, 1.2²). */
  @Test
  void theLogarithmOfTheRatioIsNormal() {
    TimestepSampler.Draw draw = LogNormalTimesteps.paper(SCHEDULE).draw(RANDOM, 7, 0, 20_000);
    double[] logs =
        Arrays.stream(draw.t())
            .mapToDouble(t -> Math.log(NoiseLevel.of(SCHEDULE, t).rho()))
            .toArray();
    double mean = Arrays.stream(logs).average().orElseThrow();
    double variance =
        Arrays.stream(logs).map(log -> (log - mean) * (log - mean)).average().orElseThrow();
    // Four standard errors of each.
    assertThat(mean).isCloseTo(-1.2, within(4 * 1.2 / Math.sqrt(20_000)));
    assertThat(Math.sqrt(variance)).isCloseTo(1.2, within(4 * 1.2 / Math.sqrt(40_000)));
    assertThat(draw.weights()).containsOnly(1.0);
  }

  /** Each ratio goes to the nearest of few levels, in logarithms; the ends take what is beyond. */
  @Test
  void ratiosGoToTheNearestLevel() {
    NoiseSchedule few = NoiseSchedule.of(EdmSchedule.paper(), 6);
    int[] counts = new int[6];
    for (int t : LogNormalTimesteps.paper(few).draw(RANDOM, 7, 0, 20_000).t()) {
      counts[t]++;
    }
    NormalDistribution normal = new NormalDistribution(null, -1.2, 1.2);
    double below = 0;
    for (int t = 0; t < 6; t++) {
      double upTo = 1;
      if (t < 5) {
        double log = Math.log(NoiseLevel.of(few, t).rho());
        double next = Math.log(NoiseLevel.of(few, t + 1).rho());
        upTo = normal.cumulativeProbability((log + next) / 2);
      }
      double share = upTo - below;
      // Four standard errors.
      assertThat(counts[t] / 20_000.0)
          .isCloseTo(share, within(4 * Math.sqrt(share * (1 - share) / 20_000) + 1e-9));
      below = upTo;
    }
  }

  @Test
  void anImageHasTheSameTimestepInAnyBatch() {
    LogNormalTimesteps timesteps = LogNormalTimesteps.paper(SCHEDULE);
    int[] all = timesteps.draw(RANDOM, 2, 0, 10).t();
    assertThat(timesteps.draw(RANDOM, 2, 6, 4).t()).isEqualTo(Arrays.copyOfRange(all, 6, 10));
    assertThat(timesteps.draw(RANDOM, 3, 0, 10).t()).isNotEqualTo(all);
  }

  @Test
  void theDistributionIsChecked() {
    assertThatThrownBy(() -> new LogNormalTimesteps(SCHEDULE, 0, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no distribution");
  }
}
