package org.ddpm4j.diffusion.bound;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.ddpm4j.diffusion.bound.StratifiedTimesteps.Stratum;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StratifiedTimestepsTest {

  @ParameterizedTest
  @CsvSource({"1, 1", "2, 2", "3, 2", "1000, 2", "1000, 50", "1000, 999", "1000, 1000", "7, 5"})
  void cutsTheWholeChainIntoAsManyPartsAsWanted(int timesteps, int count) {
    StratifiedTimesteps drawn = StratifiedTimesteps.draw(timesteps, count, 3);
    assertThat(drawn.strata()).hasSize(count);
    assertThat(drawn.timesteps()).isEqualTo(timesteps);
    assertThat(drawn.strata().get(0)).isEqualTo(new Stratum(0, 1, 0));
  }

  @Test
  void asManyAsThereAreAreAll() {
    assertThat(StratifiedTimesteps.draw(100, 100, 5)).isEqualTo(StratifiedTimesteps.all(100));
  }

  @Test
  void earlyTimestepsAreSeenMoreOften() {
    List<Stratum> strata = StratifiedTimesteps.draw(1000, 50, 0).strata();
    assertThat(strata.subList(0, 10)).allMatch(stratum -> stratum.size() <= 8);
    assertThat(strata.get(49).size()).isBetween(35, 45);
  }

  /** Σ 1/(t+1) over 1..T-1, from 8 of 200 timesteps, 2000 times: the mean is the sum. */
  @Test
  void theEstimateOfASumIsUnbiased() {
    double exact = 0;
    for (int t = 1; t < 200; t++) {
      exact += 1.0 / (t + 1);
    }
    double[] estimates = new double[2000];
    for (int seed = 0; seed < estimates.length; seed++) {
      estimates[seed] =
          StratifiedTimesteps.draw(200, 8, seed).strata().stream()
              .skip(1)
              .mapToDouble(stratum -> stratum.size() / (stratum.timestep() + 1.0))
              .sum();
    }
    BoundEvaluation.Average average = BoundEvaluation.Average.of(estimates);
    assertThat(average.standardError()).isLessThan(0.02 * exact);
    assertThat(average.mean()).isCloseTo(exact, within(4 * average.standardError()));
  }

  @Test
  void whatIsNoChainIsRefused() {
    assertThatThrownBy(() -> StratifiedTimesteps.draw(10, 1, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("2 to 10");
    assertThatThrownBy(() -> StratifiedTimesteps.draw(10, 11, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new Stratum(3, 2, 5)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new StratifiedTimesteps(List.of(new Stratum(0, 2, 1))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("timestep 0 alone");
    assertThatThrownBy(
            () -> new StratifiedTimesteps(List.of(new Stratum(0, 1, 0), new Stratum(2, 1, 2))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("must begin at 1");
  }
}
