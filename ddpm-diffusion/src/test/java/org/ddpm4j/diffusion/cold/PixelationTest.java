package org.ddpm4j.diffusion.cold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class PixelationTest {

  private static final long[] KEY = {0};

  @Test
  void byHand() {
    INDArray x0 =
        TestImages.ofPlane(
            new double[] {1, 3, 5}, new double[] {5, 7, 9}, new double[] {-2, -4, -8});
    assertThat(TestImages.values(new Pixelation(2).degrade(x0, 1, KEY)))
        .containsExactly(4, 4, 7, 4, 4, 7, -3, -3, -8);
    TestImages.assertAll(TestImages.values(new Pixelation(2).degrade(x0, 2, KEY)), 16.0 / 9, 1e-15);
  }

  @ParameterizedTest
  @CsvSource({"28,28", "7,10", "1,5", "16,3"})
  void everyPixelIsTheMeanOfItsBlock(int height, int width) {
    INDArray x0 = TestImages.random(5, DataType.DOUBLE, 1, 2, height, width);
    for (int s = 1; s <= 6; s++) {
      INDArray actual = new Pixelation(6).degrade(x0, s, KEY);
      int block = (int) Math.pow(2, s);
      for (int c = 0; c < 2; c++) {
        double[][] plane = TestImages.plane(x0, 0, c);
        for (int y = 0; y < height; y++) {
          for (int x = 0; x < width; x++) {
            double expected = blockMean(plane, y - y % block, x - x % block, block);
            assertThat(actual.getDouble(0, c, y, x)).isCloseTo(expected, within(1e-14));
          }
        }
      }
    }
  }

  private static double blockMean(double[][] plane, int top, int left, int block) {
    double sum = 0;
    int count = 0;
    for (int y = top; y < Math.min(top + block, plane.length); y++) {
      for (int x = left; x < Math.min(left + block, plane[0].length); x++) {
        sum += plane[y][x];
        count++;
      }
    }
    return sum / count;
  }

  @Test
  void inTheEndThereIsOnlyTheMean() {
    INDArray x0 = TestImages.random(6, DataType.DOUBLE, 1, 1, 28, 28);
    double mean = x0.meanNumber().doubleValue();
    TestImages.assertAll(TestImages.values(new Pixelation(30).degrade(x0, 30, KEY)), mean, 1e-14);
  }
}
