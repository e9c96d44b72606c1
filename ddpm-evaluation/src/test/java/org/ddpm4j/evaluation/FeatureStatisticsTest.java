package org.ddpm4j.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FeatureStatisticsTest {

  private static final Offset<Double> ROUNDING = within(1e-12);

  @Test
  void ofNothingMergedWithNothingIsNothing() {
    FeatureStatistics nothing = FeatureStatistics.empty(2).merge(FeatureStatistics.empty(2));

    assertThat(nothing.count()).isZero();
    assertThat(nothing.mean()).containsOnly(0);
  }

  @Test
  void areEqualWhereAllNumbersAre() {
    FeatureStatistics some = new FeatureStatistics(2, new double[] {1}, new double[] {3});

    assertThat(some)
        .isEqualTo(new FeatureStatistics(2, new double[] {1}, new double[] {3}))
        .hasSameHashCodeAs(new FeatureStatistics(2, new double[] {1}, new double[] {3}))
        .isNotEqualTo(new FeatureStatistics(4, new double[] {1}, new double[] {3}))
        .isNotEqualTo(new FeatureStatistics(2, new double[] {2}, new double[] {3}))
        .isNotEqualTo(new FeatureStatistics(2, new double[] {1}, new double[] {4}));
  }

  @Test
  void meanAndCovarianceAreNumPys() {
    FeatureStatistics statistics = FeatureStatistics.of(DistancesFixture.real());

    assertThat(statistics.count()).isEqualTo(220);
    assertThat(statistics.mean()).containsExactly(DistancesFixture.expected("mean"), ROUNDING);
    assertThat(statistics.covariance())
        .containsExactly(DistancesFixture.expected("covariance"), ROUNDING);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 110, 219})
  void partsMergeIntoTheWhole(int cut) {
    Features all = DistancesFixture.real();
    FeatureStatistics first = FeatureStatistics.of(all.select(IntStream.range(0, cut).toArray()));
    FeatureStatistics rest =
        FeatureStatistics.of(all.select(IntStream.range(cut, all.count()).toArray()));

    FeatureStatistics merged = FeatureStatistics.empty(all.dimensions()).merge(first).merge(rest);

    assertThat(merged.count()).isEqualTo(all.count());
    assertThat(merged.mean()).containsExactly(DistancesFixture.expected("mean"), ROUNDING);
    assertThat(merged.covariance())
        .containsExactly(DistancesFixture.expected("covariance"), ROUNDING);
  }

  /** Sums of squares would lose all digits: the mean is a million standard deviations. */
  @Test
  void aLargeMeanCostsNoDigits() {
    Random random = new Random(3);
    float[][] rows = new float[2000][1];
    for (float[] row : rows) {
      row[0] = 4_194_304 + random.nextInt(9);
    }
    double mean = 0;
    for (float[] row : rows) {
      mean += (row[0] - 4_194_304) / 2000.0;
    }
    double variance = 0;
    for (float[] row : rows) {
      variance += Math.pow(row[0] - 4_194_304 - mean, 2) / 1999;
    }

    FeatureStatistics statistics = FeatureStatistics.of(Features.of(rows));

    assertThat(statistics.covariance()[0]).isCloseTo(variance, within(1e-9));
  }

  @Test
  void refusesWhatCannotBe() {
    assertThatThrownBy(() -> FeatureStatistics.of(Features.of(new float[][] {{1, Float.NaN}})))
        .hasMessageContaining("images 0 to 0 is not finite");
    assertThatThrownBy(() -> FeatureStatistics.of(Features.of(new float[0][])))
        .hasMessageContaining("at least one image");
    assertThatThrownBy(() -> FeatureStatistics.empty(2).merge(FeatureStatistics.empty(3)))
        .hasMessageContaining("Features of 2 numbers");
    assertThatThrownBy(() -> FeatureStatistics.of(Features.of(new float[][] {{1}})).covariance())
        .hasMessageContaining("at least 2");
  }
}
