package org.ddpm4j.diffusion.cold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.diffusion.NotFiniteException;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class ColdSamplerTest {

  private static final int STEPS = 6;
  private static final long[] KEYS = {3, 4};
  private static final INDArray X0 = TestImages.random(1, DataType.DOUBLE, 2, 1, 5, 7);

  /** D(x, s) = x + s e. */
  private record Linear(INDArray e) implements Degradation {

    @Override
    public int steps() {
      return STEPS;
    }

    @Override
    public INDArray degrade(INDArray x0, int[] severity, long[] keys) {
      return x0.add(e.mul(severity[0]));
    }
  }

  /** Section 3.3 of the paper: however wrong the guesses, their errors cancel. */
  @Test
  void theImprovedAlgorithmIsExactOnALinearDegradation() {
    Linear linear = new Linear(TestImages.random(2, DataType.DOUBLE, 2, 1, 5, 7));
    INDArray degraded = linear.degrade(X0, STEPS, KEYS);
    RestorationOperator wrong =
        (xs, severity) -> TestImages.random(severity, DataType.DOUBLE, xs.shape()).muli(3);

    INDArray improved =
        sampler(linear, ColdAlgorithm.IMPROVED).restore(wrong, degraded, STEPS, KEYS);
    INDArray naive = sampler(linear, ColdAlgorithm.NAIVE).restore(wrong, degraded, STEPS, KEYS);

    assertThat(TestImages.values(improved)).containsExactly(TestImages.values(X0), within(1e-12));
    assertThat(TestImages.values(naive))
        .containsExactly(TestImages.values(wrong.restore(X0, 1)), within(1e-12));
    assertThat(naive.distance2(X0)).isGreaterThan(1);
  }

  private static ColdSampler sampler(Degradation degradation, ColdAlgorithm algorithm) {
    return new ColdSampler(degradation, algorithm, X0Constraint.NONE);
  }

  @ParameterizedTest
  @MethodSource("org.ddpm4j.diffusion.cold.DegradationTest#degradations")
  void aPerfectOperatorTakesBothBackTheWayTheImageCame(Degradation degradation) {
    for (ColdAlgorithm algorithm : ColdAlgorithm.values()) {
      int severity = degradation.steps();
      List<INDArray> states = new ArrayList<>();
      INDArray restored =
          sampler(degradation, algorithm)
              .restore(
                  (xs, s) -> X0,
                  degradation.degrade(X0, severity, KEYS),
                  severity,
                  KEYS,
                  (stepsDone, x, x0) -> {
                    assertThat(stepsDone).isEqualTo(states.size() + 1);
                    assertThat(x0).isSameAs(X0);
                    states.add(x);
                  });
      assertThat(states).hasSize(severity);
      for (int s = 0; s < severity; s++) {
        assertThat(TestImages.values(states.get(severity - 1 - s)))
            .containsExactly(TestImages.values(degradation.degrade(X0, s, KEYS)), within(1e-12));
      }
      assertThat(restored).isSameAs(states.get(severity - 1));
    }
  }

  /**
   * The operator changes nothing. On a mask of constant width, {@code D(x, s) = z^s x}: algorithm 1
   * then multiplies by {@code z^{s-1}} in the step from s, algorithm 2 by {@code 1 - z^s +
   * z^{s-1}}.
   */
  @Test
  void theAlgorithmsByHandOnAMask() {
    GaussianMask mask = new GaussianMask(3, 1.5, 0, GaussianMask.Centre.MIDDLE);
    INDArray x3 = mask.degrade(X0, 3, KEYS);
    RestorationOperator idle = (xs, severity) -> xs;
    INDArray naive = sampler(mask, ColdAlgorithm.NAIVE).restore(idle, x3, 3, KEYS);
    INDArray improved = sampler(mask, ColdAlgorithm.IMPROVED).restore(idle, x3, 3, KEYS);
    for (int y = 0; y < 5; y++) {
      for (int x = 0; x < 7; x++) {
        double z = 1 - Math.exp(-((y - 2) * (y - 2) + (x - 3) * (x - 3)) / 4.5);
        double start = X0.getDouble(1, 0, y, x) * z * z * z;
        assertThat(naive.getDouble(1, 0, y, x)).isCloseTo(start * z * z * z, within(1e-14));
        assertThat(improved.getDouble(1, 0, y, x))
            .isCloseTo(
                start * (1 - z * z * z + z * z) * (1 - z * z + z) * (1 - z + 1), within(1e-14));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void startsWhereItIsTold(ColdAlgorithm algorithm) {
    List<Integer> severities = new ArrayList<>();
    INDArray degraded = X0.dup();
    sampler(Snow.storm(STEPS), algorithm)
        .restore(
            (xs, severity) -> {
              severities.add(severity);
              return X0;
            },
            degraded,
            4,
            KEYS);
    assertThat(severities).containsExactly(4, 3, 2, 1);
    assertThat(degraded).isEqualTo(X0);
  }

  @Test
  void nothingIsDoneToWhatIsNotDegraded() {
    INDArray same =
        sampler(new Pixelation(2), ColdAlgorithm.IMPROVED)
            .restore(
                (xs, severity) -> {
                  throw new AssertionError("There is nothing to restore.");
                },
                X0,
                0,
                KEYS);
    assertThat(same).isEqualTo(X0).isNotSameAs(X0);
  }

  @Test
  void constrainsEveryGuess() {
    ColdSampler sampler =
        new ColdSampler(new Pixelation(1), ColdAlgorithm.NAIVE, X0Constraint.clip(-1, 1));
    INDArray restored = sampler.restore((xs, severity) -> X0.mul(100), X0, 1, KEYS);
    assertThat(restored.amaxNumber().doubleValue()).isEqualTo(1);
  }

  @Test
  void refusesASeverityBeyondTheLast() {
    assertThatThrownBy(
            () ->
                sampler(new Pixelation(2), ColdAlgorithm.NAIVE)
                    .restore((xs, severity) -> xs, X0, 3, KEYS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The severity is 3; it must be in 0..2.");
  }

  @Test
  void aNetworkIsToldTheSeverityLessOne() {
    RestorationOperator operator =
        RestorationOperator.of(
            (xs, t) -> {
              assertThat(t.toIntVector()).containsExactly(6, 6);
              return xs.neg();
            });
    assertThat(operator.restore(X0, 7)).isEqualTo(X0.neg());
  }

  @ParameterizedTest
  @EnumSource
  void aGuessOfAnotherShapeIsRefused(ColdAlgorithm algorithm) {
    ColdSampler sampler = sampler(new Pixelation(2), algorithm);
    INDArray degraded = TestImages.random(1, DataType.FLOAT, 2, 3, 4, 4);
    assertThatThrownBy(
            () ->
                sampler.restore(
                    (xs, severity) -> TestImages.random(2, DataType.FLOAT, 2, 1, 4, 4),
                    degraded,
                    2,
                    KEYS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "The operator's guess has the shape [2, 1, 4, 4] where the images have [2, 3, 4, 4]; it must have the same.");
  }

  @ParameterizedTest
  @EnumSource
  void guessesAreTakenInTheTypeOfTheImages(ColdAlgorithm algorithm) {
    ColdSampler sampler = sampler(new Pixelation(2), algorithm);
    INDArray degraded = TestImages.random(1, DataType.FLOAT, 2, 3, 4, 4);
    INDArray guess = TestImages.random(2, DataType.DOUBLE, 2, 3, 4, 4);
    INDArray restored = sampler.restore((xs, severity) -> guess, degraded, 2, KEYS);
    assertThat(restored.dataType()).isEqualTo(DataType.FLOAT);
    assertThat(restored)
        .isEqualTo(
            sampler.restore((xs, severity) -> guess.castTo(DataType.FLOAT), degraded, 2, KEYS));
  }

  @ParameterizedTest
  @EnumSource
  void whatIsNoNumberIsSaid(ColdAlgorithm algorithm) {
    ColdSampler sampler = sampler(new Pixelation(2), algorithm);
    INDArray degraded = TestImages.random(1, DataType.FLOAT, 2, 3, 4, 4);
    RestorationOperator failing =
        (xs, severity) -> {
          INDArray guess = xs.dup();
          guess.putScalar(new long[] {1, 2, 0, 0}, severity == 1 ? Float.NaN : 0);
          return guess;
        };
    assertThatThrownBy(() -> sampler.restore(failing, degraded, 2, KEYS))
        .isInstanceOf(NotFiniteException.class)
        .hasMessage(
            "The operator's guess is NaN or infinite at severity 1; check what it computes, and what it begins with.");
    INDArray undefined = degraded.dup();
    undefined.putScalar(0, Float.NaN);
    assertThatThrownBy(() -> sampler.restore((xs, severity) -> xs, undefined, 2, KEYS))
        .isInstanceOf(NotFiniteException.class)
        .hasMessageStartingWith("The degraded images that the operator gets are NaN or infinite");
  }

  @Test
  void wholeNumbersAreRefused() {
    assertThatThrownBy(
            () ->
                sampler(new Pixelation(2), ColdAlgorithm.NAIVE)
                    .restore((xs, severity) -> xs, X0.castTo(DataType.INT32), 2, KEYS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("type INT cannot be degraded; it must be [N,C,H,W], FLOAT or DOUBLE");
  }
}
