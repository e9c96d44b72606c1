package org.ddpm4j.diffusion.objective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.ddpm4j.diffusion.random.CounterRandom;
import org.ddpm4j.diffusion.random.Purpose;
import org.junit.jupiter.api.Test;

class ImportanceTimestepsTest {

  private static final CounterRandom RANDOM = new CounterRandom(1, Purpose.TRAINING_TIMESTEPS);

  private static ImportanceTimesteps knowing(double... losses) {
    ImportanceTimesteps timesteps = new ImportanceTimesteps(losses.length);
    for (int i = 0; i < ImportanceTimesteps.LATEST; i++) {
      for (int t = 0; t < losses.length; t++) {
        timesteps.update(new int[] {t}, new double[] {losses[t]});
      }
    }
    return timesteps;
  }

  @Test
  void isUniformUntilAllHaveTenLosses() {
    ImportanceTimesteps timesteps = new ImportanceTimesteps(4);
    for (int i = 0; i < 10; i++) {
      assertThat(timesteps.probabilities()).containsOnly(0.25);
      timesteps.update(new int[] {0, 1, 2}, new double[] {1, 2, 3});
    }
    for (int i = 0; i < 9; i++) {
      timesteps.update(new int[] {3}, new double[] {4});
      assertThat(timesteps.probabilities()).containsOnly(0.25);
    }
    timesteps.update(new int[] {3}, new double[] {4});
    assertThat(timesteps.probabilities()).doesNotContain(0.25);
  }

  @Test
  void followsTheRootMeanSquareOfTheLatestTen() {
    ImportanceTimesteps timesteps = knowing(1, 2, 5);
    // The latest ten of timestep 0 are then 6 times 1 and 4 times 7: mean square (6 + 196)/10.
    for (int i = 0; i < 4; i++) {
      timesteps.update(new int[] {0}, new double[] {7});
    }
    double sum = Math.sqrt(20.2) + 2 + 5;
    double[] p = timesteps.probabilities();
    assertThat(p[0]).isCloseTo(0.999 * Math.sqrt(20.2) / sum + 0.001 / 3, within(1e-12));
    assertThat(p[1]).isCloseTo(0.999 * 2 / sum + 0.001 / 3, within(1e-12));
    assertThat(p[2]).isCloseTo(0.999 * 5 / sum + 0.001 / 3, within(1e-12));
  }

  @Test
  void weightsKeepTheMeanWhatItIs() {
    double[] losses = {0.3, 10, 2, 0.01};
    ImportanceTimesteps timesteps = knowing(losses);
    double[] p = timesteps.probabilities();
    TimestepSampler.Draw draw = timesteps.draw(RANDOM, 1, 0, 100_000);
    int[] counts = new int[4];
    double weightedMean = 0;
    for (int i = 0; i < draw.t().length; i++) {
      int t = draw.t()[i];
      counts[t]++;
      assertThat(draw.weights()[i]).isCloseTo(1 / (4 * p[t]), within(1e-12));
      weightedMean += draw.weights()[i] * losses[t] / draw.t().length;
    }
    for (int t = 0; t < 4; t++) {
      assertThat(counts[t] / 1e5).isCloseTo(p[t], within(5 * Math.sqrt(p[t] / 1e5)));
    }
    // Nearly without variance: that is what importance sampling is for.
    assertThat(weightedMean).isCloseTo(Arrays.stream(losses).average().orElseThrow(), within(0.01));
  }

  @Test
  void losslessTimestepsAreStillDrawn() {
    ImportanceTimesteps timesteps = knowing(0, 0);
    assertThat(timesteps.probabilities()).containsOnly(0.0005);
    assertThat(timesteps.draw(RANDOM, 0, 0, 50).t()).contains(0).contains(1);
  }

  @Test
  void goesOnFromItsState() {
    ImportanceTimesteps timesteps = knowing(1, 2, 5);
    timesteps.update(new int[] {2}, new double[] {8});
    ImportanceTimesteps other = new ImportanceTimesteps(3);
    other.restore(timesteps.state());
    assertThat(other.probabilities()).containsExactly(timesteps.probabilities());
    timesteps.update(new int[] {0, 1}, new double[] {3, 3});
    other.update(new int[] {0, 1}, new double[] {3, 3});
    assertThat(other.probabilities()).containsExactly(timesteps.probabilities());
    assertThatThrownBy(() -> new ImportanceTimesteps(4).restore(timesteps.state()))
        .hasMessage("Losses of 3 timesteps were saved, but there are 4.");
    assertThatThrownBy(() -> new ImportanceTimesteps.State(new double[10], new int[] {11}))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
