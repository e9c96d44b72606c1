package org.ddpm4j.diffusion.cold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class SnowTest {

  private static INDArray black(int images, int channels) {
    return Nd4j.valueArrayOf(new long[] {images, channels, 28, 28}, -1.0, DataType.DOUBLE);
  }

  @Test
  void noPixelEverBecomesDarker() {
    Snow snow = Snow.storm(10);
    INDArray x0 = TestImages.random(7, DataType.DOUBLE, 2, 3, 11, 8);
    double[] before = TestImages.values(x0);
    for (int s = 1; s <= 10; s++) {
      double[] after = TestImages.values(snow.degrade(x0, s, new long[] {1, 2}));
      for (int i = 0; i < after.length; i++) {
        assertThat(after[i]).isBetween(before[i] - 1e-15, 1.0);
      }
      before = after;
    }
  }

  /** No field of normal values exceeds a threshold of 100, so only the air turns white. */
  @Test
  void theWhiteOfTheAirByHand() {
    Snow fog = new Snow(2, 100, 100, 0.5);
    INDArray x0 = Nd4j.createFromArray(new double[][][][] {{{{-1, 0}}, {{-1, 1}}, {{-0.4, -1}}}});

    double[] first = TestImages.values(fog.degrade(x0, 1, new long[] {3}));

    // In [0,1] the pixels are (0, 0, 0.3) with mean 0.1 and (0.5, 1, 0) with mean 0.5; w is 0.25.
    double[] expected = {0.1625, 0.6875, 0.1625, 1.0625, 0.3875, 0.3125};
    for (int i = 0; i < 6; i++) {
      assertThat(first[i]).isCloseTo(2 * Math.min(1, expected[i]) - 1, within(1e-14));
    }
  }

  @Test
  void turnedByHalfATurnTheFlakesAreTheSame() {
    double[] flakes = TestImages.values(Snow.storm(3).degrade(black(1, 1), 3, new long[] {8}));
    for (int i = 0; i < flakes.length; i++) {
      assertThat(flakes[flakes.length - 1 - i]).isCloseTo(flakes[i], within(1e-14));
    }
  }

  @Test
  void everyChannelHasTheSameFlakesAndEveryKeyItsOwn() {
    INDArray snow = new Snow(3, 2, 0.5, 0).degrade(black(2, 3), 3, new long[] {1, 2});
    double[][] first = TestImages.plane(snow, 0, 0);
    assertThat(TestImages.plane(snow, 0, 1)).isDeepEqualTo(first);
    assertThat(TestImages.plane(snow, 0, 2)).isDeepEqualTo(first);
    assertThat(Arrays.deepEquals(TestImages.plane(snow, 1, 0), first)).isFalse();
  }

  @Test
  void flakesAreDrawnOutDownOrSideways() {
    int images = 40;
    long[] keys = new long[images];
    for (int i = 0; i < images; i++) {
      keys[i] = i;
    }
    INDArray snow = new Snow(1, 0.5, 0.5, 0).degrade(black(images, 1), 1, keys);
    int sideways = 0;
    for (int i = 0; i < images; i++) {
      double[][] plane = TestImages.plane(snow, i, 0);
      double along = 0;
      double down = 0;
      for (int y = 1; y < 28; y++) {
        for (int x = 1; x < 28; x++) {
          along += Math.abs(plane[y][x] - plane[y][x - 1]);
          down += Math.abs(plane[y][x] - plane[y - 1][x]);
        }
      }
      assertThat(Math.max(along, down) / Math.min(along, down)).isGreaterThan(1.3);
      sideways += along < down ? 1 : 0;
    }
    assertThat(sideways).isBetween(10, 30);
  }

  @Test
  void aStormStartsWithLittleAndLeavesSomething() {
    long[] keys = {1, 2, 3, 4, 5, 6, 7, 8};
    INDArray little = Snow.storm(20).degrade(black(8, 1), 1, keys);
    INDArray much = Snow.storm(20).degrade(black(8, 1), 20, keys);
    assertThat(little.meanNumber().doubleValue()).isBetween(-1.0, -0.9);
    assertThat(much.meanNumber().doubleValue()).isBetween(-0.5, 0.3);
  }

  /** No flake at all would be NaN everywhere. */
  @Test
  void anInfiniteThresholdIsRefused() {
    assertThatThrownBy(() -> new Snow(3, Double.POSITIVE_INFINITY, 1, 0.5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "The threshold of flakes goes from Infinity to 1.0; both must be finite, and beyond 10 hardly a flake falls.");
    assertThatThrownBy(() -> new Snow(3, 1, Double.NEGATIVE_INFINITY, 0.5))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
