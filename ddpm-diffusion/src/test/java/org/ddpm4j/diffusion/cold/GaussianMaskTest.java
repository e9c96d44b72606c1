package org.ddpm4j.diffusion.cold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class GaussianMaskTest {

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void equalsThePlainLoop(int severity) {
    GaussianMask mask = new GaussianMask(5, 1, 0.3, GaussianMask.Centre.MIDDLE);
    INDArray x0 = TestImages.random(4, DataType.DOUBLE, 1, 3, 8, 5);
    INDArray degraded = mask.degrade(x0, severity, new long[] {0});
    for (int c = 0; c < 3; c++) {
      for (int y = 0; y < 8; y++) {
        for (int x = 0; x < 5; x++) {
          double expected = x0.getDouble(0, c, y, x);
          for (int i = 1; i <= severity; i++) {
            double std = 1 + 0.3 * (i - 1);
            double distance = Math.hypot(y - 3, x - 2);
            expected *= 1 - Math.exp(-0.5 * Math.pow(distance / std, 2));
          }
          assertThat(degraded.getDouble(0, c, y, x)).isCloseTo(expected, within(1e-14));
        }
      }
    }
  }

  @Test
  void theCentreIsHiddenAtOnceAndTheFarNeverIs() {
    GaussianMask mask = new GaussianMask(20, 1, 0.2, GaussianMask.Centre.MIDDLE);
    INDArray white = Nd4j.ones(DataType.DOUBLE, 1, 1, 57, 57);
    INDArray first = mask.degrade(white, 1, new long[1]);
    INDArray last = mask.degrade(white, 20, new long[1]);
    assertThat(first.getDouble(0, 0, 28, 28)).isZero();
    assertThat(first.getDouble(0, 0, 28, 33)).isGreaterThan(0.99999);
    assertThat(last.getDouble(0, 0, 28, 33)).isLessThan(0.01);
    assertThat(last.getDouble(0, 0, 0, 0)).isGreaterThan(0.99999);
  }

  @Test
  void keysSpreadTheCentreOverAllPixels() {
    GaussianMask mask = new GaussianMask(3, 0.5, 0.5, GaussianMask.Centre.RANDOM);
    int draws = 4000;
    INDArray white = Nd4j.ones(DataType.DOUBLE, draws, 1, 5, 4);
    long[] keys = new long[draws];
    for (int i = 0; i < draws; i++) {
      keys[i] = i;
    }
    INDArray first = mask.degrade(white, 1, keys);
    INDArray last = mask.degrade(white, 3, keys);
    int[] counts = new int[20];
    for (int i = 0; i < draws; i++) {
      int hidden = 0;
      for (int place = 0; place < 20; place++) {
        if (first.getDouble(i, 0, place / 4, place % 4) == 0) {
          counts[place]++;
          hidden++;
          assertThat(last.getDouble(i, 0, place / 4, place % 4)).isZero();
        }
      }
      assertThat(hidden).isEqualTo(1);
    }
    // 200 are expected at each place; the standard deviation is 13.8.
    for (int count : counts) {
      assertThat(count).isBetween(140, 260);
    }
  }
}
