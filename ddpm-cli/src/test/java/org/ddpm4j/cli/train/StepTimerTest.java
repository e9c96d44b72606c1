package org.ddpm4j.cli.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Machines that are made up, by a clock that no machine moves. */
class StepTimerTest {

  private static final double SECONDS = 4;
  private static final double STEP = 0.0635;

  private double now = 1e5;

  /**
   * Lets a machine do steps until the timer knows enough.
   *
   * @param step seconds of a step that begins so many seconds after the first one began
   * @return seconds until then
   */
  private double run(StepTimer timer, DoubleUnaryOperator step) {
    double start = now;
    do {
      now += step.applyAsDouble(now - start);
    } while (!timer.isKnownAfterStep());
    return now - start;
  }

  private StepTimer timer() {
    return new StepTimer(SECONDS, () -> Math.round(now * 1e9));
  }

  @Test
  void anEvenMachineIsMeasuredAfterAsMuchTimeForWarmingUp() {
    StepTimer timer = timer();
    double took = run(timer, at -> STEP);
    assertThat(timer.secondsPerStep()).isCloseTo(STEP, within(1e-6));
    assertThat(took).isBetween(2 * SECONDS, 2 * SECONDS + 3 * STEP);
  }

  /** Compilers make code fast bit by bit; what is left to come is within the reserve of a plan. */
  @ParameterizedTest
  @ValueSource(doubles = {0.5, 2, 4})
  void aMachineThatWarmsUpIsWaitedFor(double warm) {
    StepTimer timer = timer();
    double took = run(timer, at -> STEP * (1 + Math.exp(-at / warm)));
    assertThat(timer.secondsPerStep()).isBetween(STEP, 1.05 * STEP);
    assertThat(took).isLessThan(4 * SECONDS + 3 * STEP);
  }

  @Test
  void aSuddenGainIsSeen() {
    StepTimer timer = timer();
    run(timer, at -> at < 6.5 ? 1.3 * STEP : STEP);
    assertThat(timer.secondsPerStep()).isCloseTo(STEP, within(1e-6));
  }

  @Test
  void aDisturbanceDoesNotCount() {
    StepTimer timer = timer();
    double took = run(timer, at -> at > 6 && at < 7 ? 3 * STEP : STEP);
    assertThat(timer.secondsPerStep()).isCloseTo(STEP, within(1e-6));
    assertThat(took).isLessThan(2 * SECONDS + 3 * STEP);
  }

  @Test
  void whatBecomesFasterForEverIsNotWaitedForInVain() {
    StepTimer timer = timer();
    double took = run(timer, at -> STEP * Math.exp(-at / 20));
    assertThat(took).isBetween(4 * SECONDS, 4 * SECONDS + 3 * STEP);
    assertThat(timer.secondsPerStep())
        .isBetween(STEP * Math.exp(-4 * SECONDS / 20), STEP * Math.exp(-3 * SECONDS / 20));
  }

  @Test
  void theCompilationOfADevicesKernelsIsNoStep() {
    StepTimer timer = timer();
    double took = run(timer, at -> at == 0 ? 60 : STEP);
    assertThat(timer.secondsPerStep()).isCloseTo(STEP, within(1e-6));
    assertThat(took).isLessThan(60 + 2 * SECONDS + 3 * STEP);
  }

  @Test
  void ofSlowStepsTwoAreEnough() {
    StepTimer timer = timer();
    double took = run(timer, at -> at == 0 ? 30 : 25);
    assertThat(timer.secondsPerStep()).isCloseTo(25, within(1e-6));
    assertThat(took).isCloseTo(55, within(1e-6));
  }

  @Test
  void withoutTimeOneStepIsMeasured() {
    StepTimer timer = new StepTimer(0, () -> Math.round(now * 1e9));
    run(timer, at -> STEP);
    assertThat(timer.secondsPerStep()).isCloseTo(STEP, within(1e-6));
  }
}
