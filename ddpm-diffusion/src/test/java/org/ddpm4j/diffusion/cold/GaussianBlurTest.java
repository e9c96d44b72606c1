package org.ddpm4j.diffusion.cold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

class GaussianBlurTest {

  private static final long[] KEY = {0};

  /** A kernel of 3 with weights e : 1 : e where std² = 1/2, on a single bright pixel. */
  @Test
  void oneStepByHand() {
    double e = Math.exp(-1);
    double side = e / (1 + 2 * e);
    double middle = 1 / (1 + 2 * e);
    INDArray x0 = TestImages.ofPlane(new double[] {0, 1, 0, 0}, new double[] {0, 0, 0, 0});

    INDArray blurred = GaussianBlur.constant(1, 3, Math.sqrt(0.5)).degrade(x0, 1, KEY);

    // The lower row sees the upper one once; the upper row sees itself twice, mirrored at the edge.
    double[] expected = new double[8];
    double[] across = {side, middle, side, 0};
    for (int x = 0; x < 4; x++) {
      expected[x] = (middle + side) * across[x];
      expected[4 + x] = side * across[x];
    }
    assertThat(TestImages.values(blurred)).containsExactly(expected, within(1e-15));
  }

  @ParameterizedTest
  @CsvSource({"8,8,5", "7,10,3", "28,28,11", "3,2,11"})
  void equalsOneConvolutionAfterTheOther(int height, int width, int kernelSize) {
    GaussianBlur blur = new GaussianBlur(4, kernelSize, 0.5, 0.7);
    INDArray x0 = TestImages.random(2, DataType.DOUBLE, 1, 2, height, width);
    for (int c = 0; c < 2; c++) {
      double[][] expected = TestImages.plane(x0, 0, c);
      for (int s = 1; s <= 4; s++) {
        expected = convolve(expected, kernelSize, 0.5 + 0.7 * (s - 1));
        double[][] actual = TestImages.plane(blur.degrade(x0, s, KEY), 0, c);
        for (int y = 0; y < height; y++) {
          assertThat(actual[y]).as("severity %d", s).containsExactly(expected[y], within(1e-13));
        }
      }
    }
  }

  private static double[][] convolve(double[][] image, int size, double std) {
    double[][] result = new double[image.length][image[0].length];
    for (int y = 0; y < result.length; y++) {
      for (int x = 0; x < result[y].length; x++) {
        double weights = 0;
        for (int dy = -(size / 2); dy <= size / 2; dy++) {
          for (int dx = -(size / 2); dx <= size / 2; dx++) {
            double weight = Math.exp(-(dx * dx + dy * dy) / (2 * std * std));
            weights += weight;
            result[y][x] +=
                weight * image[mirrored(y + dy, image.length)][mirrored(x + dx, image[0].length)];
          }
        }
        result[y][x] /= weights;
      }
    }
    return result;
  }

  private static int mirrored(int place, int size) {
    int inside = place;
    while (inside < 0 || inside >= size) {
      inside = inside < 0 ? -1 - inside : 2 * size - 1 - inside;
    }
    return inside;
  }

  @Test
  void keepsTheMeanAndInTheEndNothingElse() {
    INDArray x0 = TestImages.random(3, DataType.DOUBLE, 1, 1, 12, 9);
    double mean = x0.meanNumber().doubleValue();
    INDArray little = GaussianBlur.constant(100, 7, 4).degrade(x0, 1, KEY);
    INDArray much = GaussianBlur.constant(100, 7, 4).degrade(x0, 100, KEY);

    assertThat(little.meanNumber().doubleValue()).isCloseTo(mean, within(1e-14));
    assertThat(Arrays.stream(TestImages.values(little)).max().orElseThrow() - mean)
        .isGreaterThan(0.1);
    TestImages.assertAll(TestImages.values(much), mean, 1e-6);
  }
}
