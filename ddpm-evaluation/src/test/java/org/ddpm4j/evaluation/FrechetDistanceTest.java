package org.ddpm4j.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class FrechetDistanceTest {

  /** A normal distribution with a covariance of two by two. */
  private static FeatureStatistics normal(
      double meanX, double meanY, double varianceX, double covariance, double varianceY) {
    return new FeatureStatistics(
        2,
        new double[] {meanX, meanY},
        new double[] {varianceX, covariance, covariance, varianceY});
  }

  @Test
  void isNumPys() {
    double expected = DistancesFixture.expected("frechet")[0];

    double distance =
        FrechetDistance.between(
            FeatureStatistics.of(DistancesFixture.real()),
            FeatureStatistics.of(DistancesFixture.generated()));

    assertThat(distance).isCloseTo(expected, within(1e-9 * expected));
  }

  /** Independent coordinates: the squared difference of means and of standard deviations. */
  @Test
  void ofIndependentCoordinates() {
    assertThat(FrechetDistance.between(normal(1, 2, 4, 0, 9), normal(4, 6, 25, 0, 1)))
        .isCloseTo(9 + 16 + 9 + 4, within(1e-12));
  }

  /** The root of a 2x2 matrix M has the trace {@code sqrt(tr M + 2 sqrt(det M))}. */
  @Test
  void ofCovariancesThatDoNotCommute() {
    // M = {{4,1},{1,3}}·{{2,-1},{-1,5}}.
    double trace = 4 * 2 - 1 - 1 + 3 * 5;
    double determinant = (4 * 3 - 1) * (2 * 5 - 1);
    double expected = 4 + 3 + 2 + 5 - 2 * Math.sqrt(trace + 2 * Math.sqrt(determinant));

    FeatureStatistics a = normal(0, 0, 4, 1, 3);
    FeatureStatistics b = normal(0, 0, 2, -1, 5);

    assertThat(FrechetDistance.between(a, b)).isCloseTo(expected, within(1e-12));
    assertThat(FrechetDistance.between(b, a)).isCloseTo(expected, within(1e-12));
  }

  @Test
  void ofCovariancesWithoutAnInverse() {
    // All on a line, once along x and once along the diagonal: tr √(AB) = √2.
    assertThat(FrechetDistance.between(normal(0, 0, 4, 0, 0), normal(0, 0, 1, 1, 1)))
        .isCloseTo(4 + 2 - 2 * 2, within(1e-9));
    assertThat(FrechetDistance.between(normal(0, 0, 0, 0, 0), normal(3, 0, 1, 0, 1)))
        .isCloseTo(9 + 2, within(1e-12));
  }

  @Test
  void ofTheSameIsNothing() {
    FeatureStatistics real = FeatureStatistics.of(DistancesFixture.real());

    assertThat(FrechetDistance.between(real, real)).isCloseTo(0, within(1e-10));
  }

  @Test
  void refusesFeaturesOfOtherNetworks() {
    assertThatThrownBy(
            () ->
                FrechetDistance.between(
                    normal(0, 0, 1, 0, 1), FeatureStatistics.of(DistancesFixture.real())))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Features of 2 numbers cannot be compared with features of 12");
  }
}
