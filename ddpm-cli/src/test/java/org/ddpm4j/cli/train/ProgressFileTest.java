package org.ddpm4j.cli.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ProgressFileTest {

  /** A million losses take more than a second, and would take most of the time every two. */
  @Test
  void writingTheLossesTakesLittleOfTheTimeHoweverManyThereAre() {
    for (Duration taken : new Duration[] {Duration.ofMillis(1), Duration.ofSeconds(3)}) {
      long pause = ProgressFile.pauseAfter(taken.toNanos());
      assertThat(pause).isGreaterThanOrEqualTo(Duration.ofSeconds(2).toNanos());
      assertThat(pause).isGreaterThanOrEqualTo(50 * taken.toNanos());
    }
  }
}
