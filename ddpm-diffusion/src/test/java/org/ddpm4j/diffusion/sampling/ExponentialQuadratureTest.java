package org.ddpm4j.diffusion.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExponentialQuadratureTest {

  /** By Simpson's rule. */
  private static double integral(DoubleUnaryOperator f) {
    int intervals = 20_000;
    double sum = f.applyAsDouble(0) + f.applyAsDouble(1);
    for (int i = 1; i < intervals; i++) {
      sum += (i % 2 == 0 ? 2 : 4) * f.applyAsDouble((double) i / intervals);
    }
    return sum / (3.0 * intervals);
  }

  @ParameterizedTest
  @ValueSource(doubles = {-30, -2.5, -1, -0.999, -1e-3, 0, 1e-9, 0.4, 1, 3, 12})
  void phiIsItsIntegral(double z) {
    double factorial = 1;
    for (int k = 1; k <= 4; k++) {
      int power = k - 1;
      factorial *= Math.max(power, 1);
      double expected = integral(s -> Math.exp(z * (1 - s)) * Math.pow(s, power)) / factorial;
      assertThat(ExponentialQuadrature.phi(k, z))
          .as("φ_%d(%s)", k, z)
          .isCloseTo(expected, within(1e-12 * Math.max(1, Math.exp(z))));
    }
  }

  @Test
  void phiInClosedForm() {
    double e = Math.exp(2);
    assertThat(ExponentialQuadrature.phi(1, 2)).isCloseTo((e - 1) / 2, within(1e-14));
    assertThat(ExponentialQuadrature.phi(2, 2)).isCloseTo((e - 3) / 4, within(1e-14));
    assertThat(ExponentialQuadrature.phi(3, 2)).isCloseTo((e - 5) / 8, within(1e-14));
    assertThat(ExponentialQuadrature.phi(3, 0)).isEqualTo(1 / 6.0);
    assertThat(ExponentialQuadrature.phi(2, Double.NEGATIVE_INFINITY)).isZero();
  }

  /** With even steps and without the exponential: the textbook's coefficients. */
  @Test
  void weightsOfEvenNodesAreAdamsAndBashforths() {
    assertThat(ExponentialQuadrature.weights(0, 0, -1, -2, -3))
        .containsExactly(new double[] {55 / 24.0, -59 / 24.0, 37 / 24.0, -9 / 24.0}, within(1e-13));
    assertThat(ExponentialQuadrature.weights(0, 0, -1))
        .containsExactly(new double[] {1.5, -0.5}, within(1e-14));
  }

  @ParameterizedTest
  @ValueSource(doubles = {-4, -0.2, 0, 0.7, 5})
  void weightsIntegratePolynomialsExactly(double z) {
    double[] nodes = {0, -0.4, -1.7, 1};
    double[] weights = ExponentialQuadrature.weights(z, nodes);
    DoubleUnaryOperator cubic = s -> 0.3 - 2 * s + 0.7 * s * s - 1.1 * s * s * s;
    double sum = 0;
    for (int k = 0; k < nodes.length; k++) {
      sum += weights[k] * cubic.applyAsDouble(nodes[k]);
    }
    double expected = integral(s -> Math.exp(z * (1 - s)) * cubic.applyAsDouble(s));
    assertThat(sum).isCloseTo(expected, within(1e-10 * Math.max(1, Math.exp(z))));
  }
}
