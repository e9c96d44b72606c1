package org.ddpm4j.plots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HistogramTest {

  /** numpy.histogram([0, 0.9, 1, 1.5, 3.9, 4, 4, 2], bins=4, range=(0, 4)) counts 2, 2, 1, 3. */
  @Test
  void countsAsNumpyDoes() {
    Series found = Histogram.shares("a", new double[] {0, 0.9, 1, 1.5, 3.9, 4, 4, 2}, 0, 4, 4);

    assertThat(found.x()).containsExactly(0.5, 1.5, 2.5, 3.5);
    assertThat(found.y()).containsExactly(new double[] {0.25, 0.25, 0.125, 0.375}, within(1e-12));
    assertThat(found.style()).isEqualTo(LineStyle.STEPS);
  }

  @Test
  void equalValuesHaveAHistogramThoughNoDensity() {
    assertThat(Histogram.shares("copies", new double[] {0, 0, 0}, 0, 1, 2).y())
        .containsExactly(new double[] {1, 0}, within(1e-12));
  }

  /** Widths of bins that are no binary fractions: neighbours must agree on where they meet. */
  @Test
  void isDrawnHoweverWideItsBinsAre() {
    Random random = new Random(3);
    for (int i = 0; i < 20; i++) {
      Series shares = Histogram.shares("a", new double[] {0.1}, 0, 1 + random.nextDouble(), 30);
      assertThat(LineChart.of("", List.of(shares)).withSize(160, 160).draw().getWidth())
          .isEqualTo(320);
    }
  }

  @Test
  void refusesWhatCannotBeCounted() {
    assertThatThrownBy(() -> Histogram.shares("a", new double[] {5}, 0, 4, 4))
        .hasMessageContaining("5.0 lies outside");
    assertThatThrownBy(() -> Histogram.shares("a", new double[] {Double.NaN}, 0, 4, 4))
        .hasMessageContaining("NaN lies outside");
    assertThatThrownBy(() -> Histogram.shares("a", new double[0], 0, 4, 4))
        .hasMessageContaining("0 values");
    assertThatThrownBy(() -> Histogram.shares("a", new double[] {1}, 4, 4, 4))
        .hasMessageContaining("from 4.0 to 4.0");
  }
}
