package org.ddpm4j.plots;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class DashedLineTest {

  private static final double GAP = Double.NaN;

  private static Series cut(double[] x, double[] y) {
    return new DashedLine(3, 2, 1, 1).cut(Series.of("line", x, y));
  }

  @Test
  void aSegmentIsCutByItsLength() {
    Series dashes = cut(new double[] {0, 9}, new double[] {1, 1});

    assertThat(dashes.x()).containsExactly(0, 3, 3, 5, 8, 8);
    assertThat(dashes.y()).containsExactly(1, 1, GAP, 1, 1, GAP);
  }

  @Test
  void dashesGoOnAcrossDensePoints() {
    double[] x = new double[91];
    for (int i = 0; i < x.length; i++) {
      x[i] = i / 10.0;
    }
    Series dashes = cut(x, new double[91]);

    double drawn = 0;
    int gaps = 0;
    for (int i = 1; i < dashes.x().length; i++) {
      boolean isLine = !Double.isNaN(dashes.y()[i]) && !Double.isNaN(dashes.y()[i - 1]);
      drawn += isLine ? dashes.x()[i] - dashes.x()[i - 1] : 0;
      gaps += Double.isNaN(dashes.y()[i]) ? 1 : 0;
    }
    assertThat(drawn).isCloseTo(6, within(1e-9));
    assertThat(gaps).isEqualTo(2);
  }

  @Test
  void lengthIsMeasuredInThePicture() {
    // 3-4-5: one unit to the right and one up are 5 points of the picture.
    Series dashes =
        new DashedLine(5, 5, 3, 4).cut(Series.of("line", new double[] {0, 2}, new double[] {0, 2}));

    assertThat(dashes.x()).containsExactly(0, 1, 1, 2);
    assertThat(dashes.y()).containsExactly(0, 1, GAP, 2);
  }

  @Test
  void gapsOfTheLineStay() {
    Series dashes = cut(new double[] {0, 1, 2, 3}, new double[] {0, GAP, 0, 0});

    assertThat(dashes.x()).containsExactly(0, 1, 2, 3);
    assertThat(dashes.y()).containsExactly(0, GAP, 0, 0);
  }
}
