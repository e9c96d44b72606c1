package org.ddpm4j.diffusion.bound;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class KlDivergenceTest {

  private static double density(double x, double mean, double variance) {
    return Math.exp(-(x - mean) * (x - mean) / (2 * variance)) / Math.sqrt(2 * Math.PI * variance);
  }

  /** The definition, ∫ p log(p/q), by the trapezoidal rule over ten deviations. */
  @ParameterizedTest
  @CsvSource({"0.3, 0.5, -0.2, 0.7", "1, 2, 1, 2.1", "-2, 0.04, -1.9, 0.03", "0, 1, 3, 1"})
  void isTheIntegralOfItsDefinition(double mean1, double var1, double mean2, double var2) {
    double step = Math.sqrt(var1) / 1000;
    double integral = 0;
    for (int i = -10_000; i <= 10_000; i++) {
      double x = mean1 + i * step;
      double p = density(x, mean1, var1);
      integral += step * p * Math.log(p / density(x, mean2, var2));
    }
    double closed = KlDivergence.gaussian(mean1, Math.log(var1), mean2, Math.log(var2));
    assertThat(closed).isCloseTo(integral, within(1e-10));
  }

  /** d²/2 - d³/6 + d⁴/24, of which the naive formula leaves nothing; by hand. */
  @ParameterizedTest
  @ValueSource(doubles = {1e-8, -1e-8, 1e-5, -3e-4})
  void nearlyEqualVariancesDoNotCancel(double d) {
    double expected = (d * d / 2 - d * d * d / 6 + d * d * d * d / 24) / 2;
    assertThat(KlDivergence.gaussian(1, 0, 1, d))
        .isPositive()
        .isCloseTo(expected, within(1e-12 * expected));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.2499999, 0.2500001, -0.2499999, -0.2500001, 0.1, -0.2})
  void theSeriesMeetsTheFormula(double d) {
    double expected = d + Math.exp(-d) - 1;
    assertThat(KlDivergence.ofVariances(d)).isCloseTo(expected, within(3e-16));
  }

  @Test
  void ofAnImageIsTheSumOverItsElements() {
    INDArray mean1 = Nd4j.createFromArray(0.0, 1, 2, 3).reshape(2, 1, 1, 2);
    INDArray zero = mean1.like().assign(0);
    // With variances of 1 it is half of the squared difference.
    assertThat(KlDivergence.gaussian(mean1, zero, zero, zero)).containsExactly(0.5, 6.5);
    assertThatThrownBy(() -> KlDivergence.gaussian(mean1, zero, zero, zero.reshape(2, 2)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[2, 2]");
  }
}
