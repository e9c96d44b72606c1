package org.ddpm4j.schedules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RespacedScheduleTest {

  private static final NoiseSchedule LINEAR = NoiseSchedule.of(LinearSchedule.paper(), 1000);

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 10, 50, 333, 999, 1000})
  void alphasCumprodAreThoseOfTheKeptTimesteps(int steps) {
    for (BetaSchedule formula :
        new BetaSchedule[] {
          LinearSchedule.paper(), CosineSchedule.paper(), CosineSchedule.annotated()
        }) {
      NoiseSchedule original = NoiseSchedule.of(formula, 1000);
      RespacedSchedule respaced = original.respace(steps);

      assertThat(respaced.schedule().timesteps()).isEqualTo(steps);
      double prev = 1;
      for (int i = 0; i < steps; i++) {
        double expected = original.alphasCumprod(respaced.originalTimestep(i));
        assertThat(respaced.schedule().alphasCumprod(i)).isCloseTo(expected, within(1e-12));
        assertThat(respaced.schedule().betas(i)).isCloseTo(1 - expected / prev, within(1e-12));
        prev = expected;
      }
    }
  }

  @Test
  void tenOfAThousandAreEvenlySpaced() {
    assertThat(LINEAR.respace(10).timesteps())
        .containsExactly(0, 111, 222, 333, 444, 555, 666, 777, 888, 999);
  }

  @Test
  void spacingIsRoundedToTheNearestAndHalvesToEven() {
    // stride 8/6 = 1.333…, and stride 9/6 = 1.5 with its halves 1.5, 4.5, 7.5
    assertThat(NoiseSchedule.of(LinearSchedule.paper(), 9).respace(7).timesteps())
        .containsExactly(0, 1, 3, 4, 5, 7, 8);
    assertThat(NoiseSchedule.of(LinearSchedule.paper(), 10).respace(7).timesteps())
        .containsExactly(0, 2, 3, 4, 6, 8, 9);
  }

  @Test
  void everyNumberOfStepsAscendsFromFirstToLast() {
    NoiseSchedule schedule = NoiseSchedule.of(LinearSchedule.paper(), 60);
    for (int steps = 2; steps <= 60; steps++) {
      int[] timesteps = schedule.respace(steps).timesteps();

      assertThat(timesteps).hasSize(steps).isSorted().doesNotHaveDuplicates();
      assertThat(timesteps[0]).isZero();
      assertThat(timesteps[steps - 1]).isEqualTo(59);
    }
  }

  @Test
  void oneStepIsTheNoisiest() {
    RespacedSchedule respaced = LINEAR.respace(1);

    assertThat(respaced.timesteps()).containsExactly(999);
    assertThat(respaced.schedule().betas(0))
        .isCloseTo(1 - LINEAR.alphasCumprod(999), within(1e-12));
  }

  @Test
  void allStepsAreTheIdentity() {
    RespacedSchedule respaced = LINEAR.respace(1000);

    assertThat(respaced.schedule()).isEqualTo(LINEAR);
    assertThat(respaced.timesteps()).isEqualTo(IntStream.range(0, 1000).toArray());
  }

  @Test
  void anyAscendingTimestepsMayBeKept() {
    RespacedSchedule respaced = LINEAR.respace(new int[] {4, 5, 700});

    assertThat(respaced.schedule().alphasCumprodPrev(0)).isEqualTo(1);
    assertThat(respaced.schedule().alphasCumprod(0))
        .isCloseTo(LINEAR.alphasCumprod(4), within(1e-15));
    assertThat(respaced.schedule().betas(1)).isEqualTo(LINEAR.betas(5));
    assertThat(respaced.originalTimestep(2)).isEqualTo(700);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 1001, Integer.MAX_VALUE})
  void tooFewOrTooManyStepsAreRefused(int steps) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LINEAR.respace(steps))
        .withMessage(
            "Cannot keep "
                + steps
                + " timesteps of a schedule that has 1000; the number of steps must lie between 1"
                + " and 1000.");
  }

  @Test
  void timestepsThatDoNotFitAreRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> LINEAR.respace(new int[0]));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LINEAR.respace(new int[] {5, 5}))
        .withMessageContaining("timesteps[1] is 5");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LINEAR.respace(new int[] {-1, 5}))
        .withMessageContaining("timesteps[0] is -1");
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> LINEAR.respace(new int[] {5, 1000}))
        .withMessageContaining("The timestep is 1000");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new RespacedSchedule(LINEAR, new int[] {1, 2}))
        .withMessageContaining("2 original timesteps were given for a schedule of 1000");
    assertThatExceptionOfType(IndexOutOfBoundsException.class)
        .isThrownBy(() -> LINEAR.respace(2).originalTimestep(2));
  }

  @Test
  void aStepMayBePureNoiseButNotExactly() {
    NoiseSchedule longChain = NoiseSchedule.of(LinearSchedule.paper(), 10_000);
    assertThat(longChain.respace(1).schedule().alphasCumprod(0)).isPositive().isLessThan(1e-14);

    double[] betas = new double[30];
    Arrays.fill(betas, 0.9);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NoiseSchedule.of(betas).respace(1))
        .withMessage(
            "The timesteps kept up to 29 lie so far apart that the β between them rounds to 1; keep"
                + " more of them.");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 100, 1000})
  void zeroTerminalSnrStays(int steps) {
    for (BetaSchedule formula :
        new BetaSchedule[] {
          new JsdSchedule(), new ZeroTerminalSnrSchedule(CosineSchedule.paper())
        }) {
      NoiseSchedule original = NoiseSchedule.of(formula, 1000);
      RespacedSchedule respaced = original.respace(steps);

      assertThat(respaced.schedule().betas(steps - 1)).isEqualTo(1);
      assertThat(respaced.schedule().hasZeroTerminalSnr()).isTrue();
      for (int i = 0; i < steps - 1; i++) {
        assertThat(respaced.schedule().alphasCumprod(i))
            .isCloseTo(original.alphasCumprod(respaced.originalTimestep(i)), within(1e-12));
      }
    }
  }

  @Test
  void withoutItsLastTimestepTheChainKeepsSignal() {
    NoiseSchedule jsd = NoiseSchedule.of(new JsdSchedule(), 10);

    assertThat(jsd.respace(new int[] {4, 8}).schedule().alphasCumprod(1))
        .isCloseTo(0.1, within(1e-15));
  }

  @Test
  void changingWhatWentInOrCameOutChangesNothing() {
    int[] timesteps = {0, 7};
    RespacedSchedule respaced = LINEAR.respace(timesteps);
    timesteps[0] = 3;
    respaced.timesteps()[0] = 3;

    assertThat(respaced.timesteps()).containsExactly(0, 7);
  }

  @Test
  void respacedSchedulesAreEqualWhenScheduleAndTimestepsAre() {
    RespacedSchedule respaced = LINEAR.respace(new int[] {0, 7});

    assertThat(respaced)
        .isEqualTo(LINEAR.respace(new int[] {0, 7}))
        .hasSameHashCodeAs(LINEAR.respace(new int[] {0, 7}))
        .isNotEqualTo(LINEAR.respace(new int[] {0, 8}))
        .isNotEqualTo(new RespacedSchedule(respaced.schedule(), new int[] {0, 8}));
    assertThat(respaced.toString()).endsWith("timesteps=[0, 7]]");
  }
}
