package org.ddpm4j.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

    assertThat(FrechetDistance.between(real, real)).isBetween(0.0, 1e-12);
  }

  /** Whole numbers in a few of many features, mixed by {@link #mixed}. */
  private static Features few(long seed, int images, int first, int end) {
    Random random = new Random(seed);
    float[][] values = new float[images][64];
    for (float[] row : values) {
      for (int j = first; j < end; j++) {
        row[j] = random.nextInt(21) - 10;
      }
    }
    return mixed(values);
  }

  /** Times Sylvester's Hadamard matrix, whose rows are orthogonal and 8 long: exact in FLOAT. */
  private static Features mixed(float[][] values) {
    float[][] mixed = new float[values.length][64];
    for (int i = 0; i < values.length; i++) {
      for (int j = 0; j < 64; j++) {
        for (int k = 0; k < 64; k++) {
          mixed[i][j] += Integer.bitCount(j & k) % 2 == 0 ? values[i][k] : -values[i][k];
        }
      }
    }
    return Features.of(mixed);
  }

  private static double trace(FeatureStatistics statistics) {
    double[] covariance = statistics.covariance();
    return IntStream.range(0, 64).mapToDouble(i -> covariance[65 * i]).sum();
  }

  /** Rounding left -3e-6 for 20 images, which was printed as a distance of -0.00. */
  @Test
  void ofFewImagesAndTheSameIsNothing() {
    for (int images = 2; images < 70; images += 3) {
      FeatureStatistics some = FeatureStatistics.of(few(images, images, 0, 64));

      assertThat(FrechetDistance.between(some, some)).isBetween(0.0, 1e-13 * trace(some));
    }
  }

  /** Where both vary in features of their own, the trace of the root is 0. */
  @ParameterizedTest
  @CsvSource({"8, 9", "20, 40", "200, 40", "300, 300"})
  void ofSingularCovariancesThatShareNothing(int imagesA, int imagesB) {
    FeatureStatistics a = FeatureStatistics.of(few(1, imagesA, 0, 32));
    FeatureStatistics b = FeatureStatistics.of(few(2, imagesB, 32, 64));
    double expected = trace(a) + trace(b);
    for (int i = 0; i < 64; i++) {
      expected += Math.pow(a.mean()[i] - b.mean()[i], 2);
    }

    assertThat(FrechetDistance.between(a, b)).isCloseTo(expected, within(1e-13 * expected));
    assertThat(FrechetDistance.between(b, a)).isCloseTo(expected, within(1e-13 * expected));
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
