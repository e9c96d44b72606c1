package org.ddpm4j.plots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AxisRangeTest {

  private static AxisRange linear(double... values) {
    return AxisRange.of(Axis.linear(""), DoubleStream.of(values));
  }

  private static AxisRange logarithmic(double... values) {
    return AxisRange.of(Axis.logarithmic(""), DoubleStream.of(values));
  }

  @Test
  void linearAxesShowTheDatasRange() {
    assertThat(linear(3, -1, Double.NaN, 2, Double.NEGATIVE_INFINITY))
        .isEqualTo(new AxisRange(Scale.LINEAR, -1, 3));
  }

  @Test
  void aSingleValueGetsRoomAroundIt() {
    assertThat(linear(0.02, 0.02)).isEqualTo(new AxisRange(Scale.LINEAR, 0.01, 0.03));
    assertThat(linear(0)).isEqualTo(new AxisRange(Scale.LINEAR, -1, 1));
    assertThat(linear(1, 1 + 1e-12).length()).isCloseTo(1, within(1e-6));
    assertThat(linear()).isEqualTo(new AxisRange(Scale.LINEAR, 0, 1));
  }

  @Test
  void logarithmicAxesEndAtRoundNumbersAndShowTwoDecades() {
    AxisRange range = logarithmic(0.037, 1.14, 0, -3);
    assertThat(range.low()).isCloseTo(Math.log10(0.03), within(1e-12));
    assertThat(range.high()).isCloseTo(Math.log10(2), within(1e-12));

    assertThat(logarithmic(0.21, 0.43)).isEqualTo(new AxisRange(Scale.LOGARITHMIC, -1, 0));
    assertThat(logarithmic(100)).isEqualTo(new AxisRange(Scale.LOGARITHMIC, 2, 3));
    assertThat(logarithmic(1e-44, 1).low()).isCloseTo(-44, within(1e-12));
    assertThat(logarithmic()).isEqualTo(new AxisRange(Scale.LOGARITHMIC, 0, 1));
  }

  @Test
  void fixedEndsHold() {
    Axis fixed = Axis.logarithmic("").withRange(0.1, 10);
    assertThat(AxisRange.of(fixed, DoubleStream.of(1e-9, 5)))
        .isEqualTo(new AxisRange(Scale.LOGARITHMIC, -1, 1));
    AxisRange beyond =
        AxisRange.of(Axis.linear("").withRange(5, Double.NaN), DoubleStream.of(1, 2));
    assertThat(beyond.low()).isEqualTo(5);
    assertThat(beyond.high()).isGreaterThan(5);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1, 0.2, 0.2",
    "0, 1, 0.30000000000000004, 0.3",
    "0, 0.02, 0.005, 0.005",
    "0, 1000, 400, 400",
    "-1, 1, -0.5, -0.5",
    "-1, 1, 1e-17, 0",
    "0, 1e-5, 2e-6, 2e-6",
    "0, 2.5e7, 1.5e7, 1.5e7",
    "1, 1.0001, 1.00002, 1.00002",
  })
  void linearLabels(double low, double high, double coordinate, String label) {
    assertThat(new AxisRange(Scale.LINEAR, low, high).label(coordinate)).isEqualTo(label);
  }

  @ParameterizedTest
  @CsvSource({"0, 1", "-3, 0.001", "-4, 1e-4", "4, 10000", "6, 1000000", "7, 1e7", "-44, 1e-44"})
  void logarithmicLabels(double coordinate, String label) {
    assertThat(new AxisRange(Scale.LOGARITHMIC, -50, 10).label(coordinate)).isEqualTo(label);
    assertThat(new AxisRange(Scale.LOGARITHMIC, -0.5, 0.5).label(0.25)).isEqualTo("1.78");
  }

  @Test
  void labelsOfDifferentTicksDiffer() {
    for (double start : new double[] {-1, 0, 1, 1e6, 0.3}) {
      for (double length : new double[] {1e-4, 1e-2, 1, 100}) {
        AxisRange range = new AxisRange(Scale.LINEAR, start, start + length);
        assertThat(
                DoubleStream.iterate(start, x -> x + length / 100)
                    .limit(101)
                    .mapToObj(range::label))
            .doesNotHaveDuplicates();
      }
    }
  }

  @Test
  void impossibleAxesAreRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> Axis.linear("").withRange(1, 1));
    assertThatIllegalArgumentException().isThrownBy(() -> Axis.linear("").withRange(2, 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Axis.linear("").withRange(Double.NEGATIVE_INFINITY, 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Axis.linear("").withRange(1, 1 + 1e-9))
        .withMessageContaining("too short");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Axis.logarithmic("").withRange(0, 1))
        .withMessageContaining("must be positive");
  }
}
