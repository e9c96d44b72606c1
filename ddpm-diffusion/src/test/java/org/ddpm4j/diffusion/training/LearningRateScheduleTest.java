package org.ddpm4j.diffusion.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.ddpm4j.diffusion.training.LearningRateSchedule.Decay;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class LearningRateScheduleTest {

  @ParameterizedTest
  @CsvSource({
    "CONSTANT,  0, 0.25",
    "CONSTANT,  3, 1",
    "CONSTANT,  4, 1",
    "CONSTANT, 23, 1",
    "LINEAR,    0, 0.25",
    "LINEAR,    3, 1",
    "LINEAR,    4, 1",
    "LINEAR,    9, 0.75",
    "LINEAR,   14, 0.5",
    "LINEAR,   23, 0.05",
    "COSINE,    2, 0.75",
    "COSINE,    4, 1",
    "COSINE,   14, 0.5",
    "COSINE,    9, 0.853553390593",
    "COSINE,   19, 0.146446609407"
  })
  void hasTheValuesOfItsFormula(Decay decay, long step, double expected) {
    assertThat(new LearningRateSchedule(4, decay).factor(step, 24))
        .isCloseTo(expected, within(1e-12));
  }

  @ParameterizedTest
  @EnumSource
  void isAboveZeroAtEveryStep(Decay decay) {
    for (long warmup : new long[] {0, 1, 7, 50}) {
      for (long step = 0; step < 20; step++) {
        assertThat(new LearningRateSchedule(warmup, decay).factor(step, 20))
            .isGreaterThan(0)
            .isLessThanOrEqualTo(1);
      }
    }
  }

  @Test
  void refusesNegativeWarmup() {
    assertThatThrownBy(() -> new LearningRateSchedule(-1, Decay.LINEAR))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The number of warm-up steps is -1; it must be at least 0.");
  }
}
