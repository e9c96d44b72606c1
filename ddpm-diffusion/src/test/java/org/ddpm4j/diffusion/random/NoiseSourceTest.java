package org.ddpm4j.diffusion.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class NoiseSourceTest {

  @Test
  void hasTheShapeAndTypeAskedFor() {
    INDArray noise = NoiseSource.seeded(1, 0).gaussian(3, 2, 3, 4, 5);
    assertThat(noise.shape()).containsExactly(2, 3, 4, 5);
    assertThat(noise.dataType()).isEqualTo(DataType.FLOAT);
  }

  @Test
  void anImageHasItsNoiseInAnyBatch() {
    INDArray batch = NoiseSource.seeded(9, 0).gaussian(17, 6, 3, 4, 4);
    assertThat(NoiseSource.seeded(9, 0).gaussian(17, 6, 3, 4, 4)).isEqualTo(batch);
    for (int image = 0; image < 6; image++) {
      assertThat(NoiseSource.seeded(9, image).gaussian(17, 1, 3, 4, 4))
          .isEqualTo(batch.get(NDArrayIndex.interval(image, image + 1)));
    }
  }

  @Test
  void seedImageAndStepAllMatter() {
    INDArray noise = NoiseSource.seeded(9, 0).gaussian(17, 1, 1, 4, 4);
    assertThat(NoiseSource.seeded(8, 0).gaussian(17, 1, 1, 4, 4)).isNotEqualTo(noise);
    assertThat(NoiseSource.seeded(9, 1).gaussian(17, 1, 1, 4, 4)).isNotEqualTo(noise);
    assertThat(NoiseSource.seeded(9, 0).gaussian(16, 1, 1, 4, 4)).isNotEqualTo(noise);
  }

  @Test
  void isStandardNormal() {
    double[] x = NoiseSource.seeded(2024, 0).gaussian(5, 200, 1, 25, 20).data().asDouble();
    int n = x.length;
    double root = Math.sqrt(n);
    assertThat(moment(x, 1)).isCloseTo(0, within(4 / root));
    assertThat(moment(x, 2)).isCloseTo(1, within(4 * Math.sqrt(2) / root));
    assertThat(moment(x, 3)).isCloseTo(0, within(4 * Math.sqrt(15) / root));
    assertThat(moment(x, 4)).isCloseTo(3, within(4 * Math.sqrt(96) / root));

    // Kolmogorov and Smirnov: the statistic exceeds 1.95/sqrt(n) once in a thousand times.
    Arrays.sort(x);
    double distance = 0;
    for (int i = 0; i < n; i++) {
      double cdf = normalCdf(x[i]);
      distance = Math.max(distance, Math.max(cdf - (double) i / n, (i + 1.0) / n - cdf));
    }
    assertThat(distance).isLessThan(1.95 / root);
  }

  /** Noise at the same pixel of neighbouring images, steps and seeds is uncorrelated. */
  @Test
  void neighboursAreUncorrelated() {
    int n = 50_000;
    INDArray noise = NoiseSource.seeded(3, 0).gaussian(8, 2, 1, 1, n);
    double[] a = noise.slice(0).dup().data().asDouble();
    double[] image = noise.slice(1).dup().data().asDouble();
    double[] step = NoiseSource.seeded(3, 0).gaussian(9, 1, 1, 1, n).data().asDouble();
    double[] seed = NoiseSource.seeded(4, 0).gaussian(8, 1, 1, 1, n).data().asDouble();
    for (double[] b : new double[][] {image, step, seed}) {
      double sum = 0;
      for (int i = 0; i < n; i++) {
        sum += a[i] * b[i];
      }
      assertThat(sum / n).isCloseTo(0, within(4 / Math.sqrt(n)));
    }
  }

  @Test
  void sharedNoiseIsThatOfOneImage() {
    INDArray shared = NoiseSource.shared(3, 5).gaussian(8, 3, 2, 2, 2);
    INDArray one = NoiseSource.seeded(3, 5).gaussian(8, 1, 2, 2, 2);
    for (int i = 0; i < 3; i++) {
      assertThat(shared.get(NDArrayIndex.interval(i, i + 1))).isEqualTo(one);
    }
  }

  @Test
  void aRunBeginsWithADrawLikeAnyOther() {
    NoiseSource noise = NoiseSource.seeded(9, 4);
    assertThat(noise.initial(17, 2, 1, 3, 3)).isEqualTo(noise.gaussian(17, 2, 1, 3, 3));
  }

  @Test
  void aRunBeginsWithTheNoiseThatIsGiven() {
    INDArray start = NoiseSource.seeded(2, 0).gaussian(0, 2, 3, 4, 5).castTo(DataType.DOUBLE);
    INDArray copy = start.dup();
    NoiseSource later = NoiseSource.seeded(9, 0);
    NoiseSource noise = NoiseSource.startingFrom(start, later);

    INDArray first = noise.initial(17, 2, 3, 4, 5);
    assertThat(first).isEqualTo(copy);
    assertThat(first.dataType()).isEqualTo(DataType.DOUBLE);
    first.assign(7);
    assertThat(start).as("not written to").isEqualTo(copy);
    assertThat(noise.initial(0, 2, 3, 4, 5)).as("of any number").isEqualTo(copy);
    assertThat(noise.gaussian(17, 2, 3, 4, 5)).isEqualTo(later.gaussian(17, 2, 3, 4, 5));
  }

  @Test
  void refusesToBeginWithWhatIsNoNoise() {
    NoiseSource later = NoiseSource.seeded(9, 0);
    NoiseSource noise = NoiseSource.startingFrom(Nd4j.zeros(DataType.FLOAT, 2, 1, 4, 4), later);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> noise.initial(0, 3, 1, 4, 4))
        .withMessageContaining("[2, 1, 4, 4] where the images have [3, 1, 4, 4]");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NoiseSource.startingFrom(Nd4j.zeros(DataType.FLOAT, 2, 16), later))
        .withMessageContaining("FLOAT [2, 16]; it must be [N,C,H,W]");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NoiseSource.startingFrom(Nd4j.zeros(DataType.INT64, 2, 1, 4, 4), later))
        .withMessageContaining("LONG [2, 1, 4, 4]");
  }

  private static double moment(double[] x, int order) {
    return Arrays.stream(x).map(value -> Math.pow(value, order)).average().orElseThrow();
  }

  /** By Simpson's rule from 0, independent of any library. */
  private static double normalCdf(double x) {
    int intervals = 40;
    double h = x / intervals;
    double sum = 0;
    for (int i = 0; i <= intervals; i++) {
      int weight = i == 0 || i == intervals ? 1 : i % 2 == 0 ? 2 : 4;
      sum += weight * Math.exp(-0.5 * i * h * i * h);
    }
    return 0.5 + sum * h / 3 / Math.sqrt(2 * Math.PI);
  }
}
