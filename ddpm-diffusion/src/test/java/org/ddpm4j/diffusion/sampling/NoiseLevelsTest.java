package org.ddpm4j.diffusion.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.ZeroTerminalSnrSchedule;
import org.junit.jupiter.api.Test;

class NoiseLevelsTest {

  private static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper(), 1000);

  private static double[] times(NoiseLevels levels) {
    return levels.levels().stream().mapToDouble(NoiseLevel::t).toArray();
  }

  /** As NumPy rounds {@code linspace(0, 999, 7)}: 832.5, 499.5 and 166.5 to the even one. */
  @Test
  void timestepsAreWhole() {
    assertThat(NoiseLevels.of(SCHEDULE, TimestepSpacing.LINSPACE, 7).levels())
        .extracting(NoiseLevel::t)
        .startsWith(999.0, 832.0, 666.0, 500.0, 333.0, 166.0, 0.0)
        .hasSize(8);
  }

  /** Where hardly more than a stride of the chain is visited: its last timestep would be at -1. */
  @Test
  void noTimestepIsBelowZero() {
    assertThat(TimestepSpacing.TRAILING.timesAboveZero(1000, 143, 7)).containsExactly(142, 0);
    assertThat(TimestepSpacing.TRAILING.timesAboveZero(1000, 144, 7)).containsExactly(143, 0);
    assertThat(TimestepSpacing.TRAILING.timesAboveZero(1000, 150, 7)).containsExactly(149, 6);
  }

  /** A chain of one timestep has no more; of two there must be a greater one. */
  @Test
  void aSingleLevelNeedNotFall() {
    NoiseLevels one = NoiseLevels.between(SCHEDULE, LevelSpacing.KARRAS, 2, 2, 1);
    assertThat(one.steps()).isEqualTo(1);
    assertThat(one.first().rho()).isCloseTo(2, within(1e-12));
    for (double first : new double[] {1, 2}) {
      assertThatThrownBy(() -> NoiseLevels.between(SCHEDULE, LevelSpacing.KARRAS, first, 2, 2))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("cannot go from ρ = " + first + " to 2.0 in 2 steps");
    }
  }

  /** Lin et al. 2024, table 2, where timesteps begin at 1 and "leading" has an offset of 1. */
  @Test
  void spacingsAreThoseOfTheTable() {
    assertThat(TimestepSpacing.LEADING.times(1000, 10))
        .containsExactly(900, 800, 700, 600, 500, 400, 300, 200, 100, 0);
    assertThat(TimestepSpacing.TRAILING.times(1000, 10))
        .containsExactly(999, 899, 799, 699, 599, 499, 399, 299, 199, 99);
    assertThat(TimestepSpacing.LINSPACE.times(1000, 10))
        .containsExactly(999, 888, 777, 666, 555, 444, 333, 222, 111, 0);
  }

  @Test
  void spacingsWhereTimestepsAreNoMultiple() {
    assertThat(TimestepSpacing.LEADING.times(1000, 7))
        .containsExactly(852, 710, 568, 426, 284, 142, 0);
    assertThat(TimestepSpacing.TRAILING.times(1000, 7))
        .containsExactly(999, 856, 713, 570, 428, 285, 142);
    assertThat(TimestepSpacing.LINSPACE.times(11, 5)).containsExactly(10, 7.5, 5, 2.5, 0);
    assertThat(TimestepSpacing.LINSPACE.timesAboveZero(1000, 3)).containsExactly(999, 666, 333);
    assertThat(TimestepSpacing.LEADING.timesAboveZero(1000, 3)).containsExactly(750, 500, 250);
    assertThat(TimestepSpacing.TRAILING.timesAboveZero(1000, 4))
        .containsExactly(999, 749, 499, 249);
  }

  @Test
  void aSingleStepIsFromTheNoisiestTimestepButForLeading() {
    assertThat(TimestepSpacing.LINSPACE.times(1000, 1)).containsExactly(999);
    assertThat(TimestepSpacing.TRAILING.times(1000, 1)).containsExactly(999);
    assertThat(TimestepSpacing.LEADING.times(1000, 1)).containsExactly(0);
  }

  @Test
  void allTimestepsAreVisitedByAsManySteps() {
    for (TimestepSpacing spacing : TimestepSpacing.values()) {
      double[] all = spacing.times(50, 50);
      for (int k = 0; k < 50; k++) {
        assertThat(all[k]).as("%s", spacing).isEqualTo(49.0 - k);
      }
    }
  }

  @Test
  void stepsAreChecked() {
    assertThatThrownBy(() -> TimestepSpacing.LEADING.times(10, 11))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("11 steps on 10 timesteps are not possible; there must be 1 to 10.");
    assertThatThrownBy(() -> TimestepSpacing.LINSPACE.timesAboveZero(10, 11))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("there must be 1 to 10");
    assertThatThrownBy(() -> TimestepSpacing.LINSPACE.timesAboveZero(10, 11, 3))
        .hasMessageContaining("11 of 10 timesteps cannot be visited");
  }

  /** The timesteps of diffusers' DPMSolverMultistepScheduler. */
  @Test
  void solversThatEndAboveZeroVisitDiffusersTimesteps() {
    assertThat(times(NoiseLevels.aboveZero(SCHEDULE, TimestepSpacing.LINSPACE, 10)))
        .containsExactly(999, 899, 799, 699, 599, 500, 400, 300, 200, 100, -1);
    assertThat(times(NoiseLevels.aboveZero(SCHEDULE, TimestepSpacing.LEADING, 10)))
        .containsExactly(900, 810, 720, 630, 540, 450, 360, 270, 180, 90, -1);
    assertThat(times(NoiseLevels.aboveZero(SCHEDULE, TimestepSpacing.TRAILING, 10)))
        .containsExactly(999, 899, 799, 699, 599, 499, 399, 299, 199, 99, -1);
  }

  /** Timesteps and σ of diffusers' EulerDiscreteScheduler, betas from 0.1 to 0.3. */
  @Test
  void timesBetweenTimestepsAreVisitedAsDiffusersDoes() {
    NoiseSchedule schedule = NoiseSchedule.of(new LinearSchedule(0.1, 0.3), 11);
    NoiseLevels levels = NoiseLevels.fractional(schedule, TimestepSpacing.LINSPACE, 5);
    double[] sigmas = {3.3243034, 2.0609281, 1.2901016, 0.7744982, 0.3333334, 0};

    assertThat(times(levels)).containsExactly(10, 7.5, 5, 2.5, 0, -1);
    for (int i = 0; i < sigmas.length; i++) {
      assertThat(levels.levels().get(i).rho()).isCloseTo(sigmas[i], within(1e-6));
    }
  }

  @Test
  void levelsEndCleanUnlessTold() {
    NoiseLevels levels = NoiseLevels.of(SCHEDULE, TimestepSpacing.TRAILING, 4);
    assertThat(times(levels)).containsExactly(999, 749, 499, 249, -1);
    assertThat(levels.steps()).isEqualTo(4);
    assertThat(levels.step(3).to()).isEqualTo(NoiseLevel.CLEAN);
    assertThat(levels.step(0).from().alphaCumprod()).isEqualTo(SCHEDULE.alphasCumprod(999));
    NoiseLevel first = NoiseLevel.of(SCHEDULE, 0);
    assertThat(levels.endingAt(first).step(3).to()).isEqualTo(first);
    assertThatThrownBy(() -> levels.endingAt(NoiseLevel.of(SCHEDULE, 300)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("The noise does not fall from time 249.0");
    assertThatThrownBy(() -> new NoiseLevels(List.of(first), InitialNoise.STANDARD))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("There are 1 noise levels");
  }

  @Test
  void conversionsAreConsistent() {
    NoiseLevel level = NoiseLevel.of(SCHEDULE, 400);
    assertThat(level.alpha()).isCloseTo(SCHEDULE.sqrtAlphasCumprod(400), within(1e-15));
    assertThat(level.sigma()).isCloseTo(SCHEDULE.sqrtOneMinusAlphasCumprod(400), within(1e-15));
    assertThat(Math.exp(-2 * level.lambda())).isCloseTo(1 / SCHEDULE.snr(400), within(1e-12));
    assertThat(level.rho() * level.rho()).isCloseTo(1 / SCHEDULE.snr(400), within(1e-12));
    assertThat(NoiseLevel.ofRho(SCHEDULE, level.rho())).isEqualTo(level);
    assertThat(NoiseLevel.CLEAN.rho()).isZero();
    assertThat(NoiseLevel.CLEAN.lambda()).isEqualTo(Double.POSITIVE_INFINITY);
  }

  @Test
  void betweenTimestepsRhoIsInterpolated() {
    double low = NoiseLevel.of(SCHEDULE, 10).rho();
    double high = NoiseLevel.of(SCHEDULE, 11).rho();
    assertThat(NoiseLevel.between(SCHEDULE, 10.25).rho())
        .isCloseTo(0.75 * low + 0.25 * high, within(1e-13));
    NoiseLevel geometric = NoiseLevel.ofRho(SCHEDULE, Math.sqrt(low * high));
    assertThat(geometric.t()).isCloseTo(10.5, within(1e-12));
    assertThat(geometric.rho()).isCloseTo(Math.sqrt(low * high), within(1e-13));
    assertThat(NoiseLevel.ofRho(SCHEDULE, 1e-6).t()).isZero();
    assertThat(NoiseLevel.ofRho(SCHEDULE, 1e6).t()).isEqualTo(999);
    assertThat(NoiseLevel.ofRho(SCHEDULE, 1e6).rho()).isCloseTo(1e6, within(1.0));
    assertThatThrownBy(() -> NoiseLevel.between(SCHEDULE, 999.5))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> NoiseLevel.ofRho(SCHEDULE, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new NoiseLevel(3, 1.1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new NoiseLevel(Double.NaN, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** Karras et al. 2022, eq. 5. */
  @Test
  void karrasLevelsHaveEvenSeventhRoots() {
    NoiseSchedule schedule = NoiseSchedule.of(CosineSchedule.paper(), 1000);
    NoiseLevels levels = NoiseLevels.karras(schedule, 5);
    double top = Math.pow(NoiseLevel.of(schedule, 999).rho(), 1 / 7.0);
    double bottom = Math.pow(NoiseLevel.of(schedule, 0).rho(), 1 / 7.0);
    for (int i = 0; i < 5; i++) {
      assertThat(Math.pow(levels.levels().get(i).rho(), 1 / 7.0))
          .isCloseTo(top + i / 4.0 * (bottom - top), within(1e-7));
    }
    assertThat(levels.levels().get(0)).isEqualTo(NoiseLevel.of(schedule, 999));
    assertThat(levels.levels().get(4)).isEqualTo(NoiseLevel.of(schedule, 0));
    assertThat(levels.levels().get(5)).isEqualTo(NoiseLevel.CLEAN);
    double[] whole = times(levels.atWholeTimesteps());
    assertThat(whole)
        .isEqualTo(new double[] {999, Math.rint(times(levels)[1]), whole[2], whole[3], 0, -1});
    assertThat(levels.atWholeTimesteps().levels().get(1).rho())
        .isEqualTo(levels.levels().get(1).rho());
  }

  @Test
  void karrasLevelsNeedSomeSignal() {
    NoiseSchedule zero =
        NoiseSchedule.of(new ZeroTerminalSnrSchedule(LinearSchedule.paper()), 1000);
    assertThatThrownBy(() -> NoiseLevels.karras(zero, 10))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no zero terminal SNR");
    assertThatThrownBy(() -> NoiseLevels.karras(SCHEDULE, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at least 1");
    assertThat(times(NoiseLevels.karras(SCHEDULE, 1))).containsExactly(999, -1);
  }

  @Test
  void theLastLevelsAreTheEndOfARun() {
    NoiseLevels levels = NoiseLevels.of(SCHEDULE, TimestepSpacing.LEADING, 10);
    NoiseLevels last = levels.startingFrom(InitialNoise.OF_LEVEL).last(3);
    assertThat(times(last)).containsExactly(200, 100, 0, -1);
    assertThat(last.steps()).isEqualTo(3);
    assertThat(last.first()).isEqualTo(NoiseLevel.of(SCHEDULE, 200));
    assertThat(last.initialNoise()).isEqualTo(InitialNoise.OF_LEVEL);
    assertThat(levels.last(10)).isEqualTo(levels);
    for (int count : new int[] {0, 11}) {
      assertThatThrownBy(() -> levels.last(count))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("1 to 10");
    }
  }

  @Test
  void stepsDoNotAddNoise() {
    NoiseLevel noisy = NoiseLevel.of(SCHEDULE, 500);
    NoiseLevel less = NoiseLevel.of(SCHEDULE, 400);
    assertThat(new NoiseStep(noisy, less).h())
        .isCloseTo(Math.log(noisy.rho() / less.rho()), within(1e-12));
    assertThat(new NoiseStep(noisy, noisy).h()).isZero();
    assertThatThrownBy(() -> new NoiseStep(less, noisy))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("adds noise");
  }
}
