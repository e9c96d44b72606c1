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

  /** In each way that there is to draw: onto floats, onto other types and onto views. */
  @Test
  void whatIsAddedIsTheNoiseOfThatDraw() {
    NoiseSource source = NoiseSource.seeded(9, 4);
    for (long[] shape : new long[][] {{1, 1, 1, 1}, {5, 3, 7, 9}, {7, 1, 28, 28}}) {
      float[] x = NoiseSource.seeded(1, 0).gaussian(0, shape).data().asFloat();
      float[] noise = source.gaussian(17, shape).data().asFloat();
      float[] expected = new float[x.length];
      for (int i = 0; i < x.length; i++) {
        expected[i] = x[i] + 0.3f * noise[i];
      }
      INDArray sum = Nd4j.create(x, shape, 'c');
      source.addTo(sum, 0.3, 17);
      assertThat(sum.data().asFloat()).isEqualTo(expected);
      INDArray columnMajor = Nd4j.create(x, shape, 'c').dup('f');
      source.addTo(columnMajor, 0.3, 17);
      assertThat(columnMajor.dup('c').data().asFloat()).isEqualTo(expected);
      INDArray doubles = Nd4j.create(x, shape, 'c').castTo(DataType.DOUBLE);
      source.addTo(doubles, 0.3, 17);
      assertThat(doubles.castTo(DataType.FLOAT).data().asFloat()).isEqualTo(expected);
      INDArray given = Nd4j.create(x, shape, 'c');
      NoiseSource.startingFrom(given, source).addTo(given, 0.3, 17);
      assertThat(given.data().asFloat()).isEqualTo(expected);
      INDArray asked = Nd4j.create(x, shape, 'c');
      NoiseSource other = source::gaussian;
      other.addTo(asked, 0.3, 17);
      assertThat(asked.data().asFloat()).isEqualTo(expected);
    }
  }

  /** The same image twice, and two seeds: each by itself, and in one batch. */
  @Test
  void imagesOfOneBatchMayHaveSeedsOfTheirOwn() {
    long[] seeds = {9, -3, 9, 9};
    long[] numbers = {4, 4, 0, 4};
    NoiseSource source = NoiseSource.seeded(seeds, numbers);
    INDArray drawn = source.gaussian(17, 4, 3, 7, 9);
    INDArray sums = Nd4j.ones(DataType.FLOAT, 4, 3, 7, 9);
    source.addTo(sums, 0.3, 17);
    for (int image = 0; image < 4; image++) {
      INDArray alone = NoiseSource.seeded(seeds[image], numbers[image]).gaussian(17, 1, 3, 7, 9);
      var place = NDArrayIndex.interval(image, image + 1);
      assertThat(floats(drawn.get(place))).isEqualTo(floats(alone));
      assertThat(floats(sums.get(place))).isEqualTo(floats(alone.mul(0.3f).addi(1)));
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> source.gaussian(17, 3, 3, 7, 9))
        .withMessage("Noise for 3 images was asked for; it is that of 4.");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NoiseSource.seeded(new long[2], new long[3]))
        .withMessage("2 seeds were given for 3 images; each image has one.");
  }

  private static float[] floats(INDArray array) {
    return array.dup('c').data().asFloat();
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
    assertThat(distanceToNormal(x)).isLessThan(1.95 / root);
  }

  /** The statistic of Kolmogorov and Smirnov. */
  private static double distanceToNormal(double[] values) {
    double[] x = values.clone();
    int n = x.length;
    Arrays.sort(x);
    double distance = 0;
    for (int i = 0; i < n; i++) {
      double cdf = normalCdf(x[i]);
      distance = Math.max(distance, Math.max(cdf - (double) i / n, (i + 1.0) / n - cdf));
    }
    return distance;
  }

  /**
   * Noise at the same pixel of neighbouring images, steps and seeds is uncorrelated, and so are
   * neighbouring elements, their absolute values too: the two of a pair share a radius.
   */
  @Test
  void neighboursAreUncorrelated() {
    int n = 50_000;
    INDArray noise = NoiseSource.seeded(3, 0).gaussian(8, 2, 1, 1, n);
    double[] a = noise.slice(0).dup().data().asDouble();
    double[] image = noise.slice(1).dup().data().asDouble();
    double[] step = NoiseSource.seeded(3, 0).gaussian(9, 1, 1, 1, n).data().asDouble();
    double[] seed = NoiseSource.seeded(4, 0).gaussian(8, 1, 1, 1, n).data().asDouble();
    double[] highSeed =
        NoiseSource.seeded(3 + (1L << 32), 0).gaussian(8, 1, 1, 1, n).data().asDouble();
    for (double[] b : new double[][] {image, step, seed, highSeed}) {
      assertUncorrelated(a, b, 0);
    }
    for (int lag = 1; lag <= 8; lag++) {
      assertUncorrelated(a, a, lag);
    }
  }

  private static void assertUncorrelated(double[] a, double[] b, int lag) {
    int n = a.length - lag;
    double sum = 0;
    double absolute = 0;
    double mean = Math.sqrt(2 / Math.PI);
    for (int i = 0; i < n; i++) {
      sum += a[i] * b[i + lag];
      absolute += (Math.abs(a[i]) - mean) * (Math.abs(b[i + lag]) - mean);
    }
    assertThat(sum / n).as("lag %d", lag).isCloseTo(0, within(4 / Math.sqrt(n)));
    // |z| has the variance 1 - 2/π.
    assertThat(absolute / n)
        .as("absolute values, lag %d", lag)
        .isCloseTo(0, within(4 * (1 - 2 / Math.PI) / Math.sqrt(n)));
  }

  /** The same element of many images, and of many steps, is standard normal too. */
  @Test
  void isStandardNormalAcrossImagesAndSteps() {
    int n = 40_000;
    double[] images = NoiseSource.seeded(11, 0).gaussian(2, n, 1, 1, 1).data().asDouble();
    double[] steps = new double[n];
    for (int step = 0; step < n; step++) {
      float[] value = new float[1];
      new CounterRandom(11, Purpose.SAMPLING_NOISE).gaussian(2, step, value, 0, 1);
      steps[step] = value[0];
    }
    for (double[] x : new double[][] {images, steps}) {
      assertThat(moment(x, 1)).isCloseTo(0, within(4 / Math.sqrt(n)));
      assertThat(moment(x, 2)).isCloseTo(1, within(4 * Math.sqrt(2.0 / n)));
      assertThat(moment(x, 4)).isCloseTo(3, within(4 * Math.sqrt(96.0 / n)));
      assertUncorrelated(x, x, 1);
      assertThat(distanceToNormal(x)).isLessThan(1.95 / Math.sqrt(n));
    }
  }

  /** Of several seeds, and of elements of the four places in a block. */
  @Test
  void everyPlaceOfABlockIsStandardNormal() {
    int n = 20_000;
    for (long seed : new long[] {0, -1, 1L << 40}) {
      double[] x = NoiseSource.seeded(seed, 7).gaussian(0, 1, 1, 4, n).data().asDouble();
      for (int place = 0; place < 4; place++) {
        double[] own = new double[n];
        for (int i = 0; i < n; i++) {
          own[i] = x[4 * i + place];
        }
        assertThat(distanceToNormal(own))
            .as("seed %d, place %d", seed, place)
            .isLessThan(1.95 / Math.sqrt(n));
      }
    }
  }

  @Test
  void stepsAndImagesHaveALimit() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NoiseSource.seeded(1, 0).gaussian(-1, 1, 1, 2, 2));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NoiseSource.seeded(1, (1L << 32) - 1).gaussian(0, 2, 1, 2, 2));
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
