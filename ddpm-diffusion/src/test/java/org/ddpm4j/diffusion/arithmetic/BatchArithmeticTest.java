package org.ddpm4j.diffusion.arithmetic;

import static java.lang.Double.NaN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The two ways to compute agree with each other, and with plain loops, in every bit. */
class BatchArithmeticTest {

  private static final float[] RARE = {
    Float.NaN,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    0f,
    -0f,
    Float.MIN_VALUE,
    -Float.MIN_NORMAL,
    Float.MAX_VALUE,
    1f,
    -1f
  };

  /** None of these is exact in FLOAT. */
  private static final double A = 1.1;

  private static final double B = -0.3;
  private static final double C = 1 / 3.0;

  /** One element, less and more than a tile, odd lengths, several pieces. */
  private static Stream<long[]> shapes() {
    return Stream.of(
        new long[] {1, 1, 1, 1},
        new long[] {3, 1, 5, 5},
        new long[] {1, 3, 19, 18},
        new long[] {5, 3, 33, 31},
        new long[] {257, 1, 2, 2},
        new long[] {131, 3, 27, 25});
  }

  /** Values of very different sizes, and one in fifty that is rare. */
  private static INDArray batch(long seed, long... shape) {
    Random random = new Random(seed);
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          random.nextInt(50) == 0
              ? RARE[random.nextInt(RARE.length)]
              : (float) (random.nextGaussian() * Math.pow(10, random.nextInt(5) - 2));
    }
    return Nd4j.create(values, shape, 'c');
  }

  private static float[] elements(INDArray array) {
    return array.dup('c').data().asFloat();
  }

  /** What a loop over the elements makes. */
  private interface Element {
    float of(int i);
  }

  private static void assertBits(INDArray actual, Element expected) {
    float[] found = elements(actual);
    for (int i = 0; i < found.length; i++) {
      if (Float.floatToIntBits(found[i]) != Float.floatToIntBits(expected.of(i))) {
        assertThat(found[i]).as("element %d", i).isEqualTo(expected.of(i));
      }
    }
  }

  /** By both ways, none of which changes what it is given. */
  private static void check(
      Function<BatchOperations, INDArray> operation, Element expected, INDArray... given) {
    assertThat(TiledOperations.serve(given)).isTrue();
    List<INDArray> copies = Arrays.stream(given).map(array -> array.dup('c')).toList();
    for (BatchOperations operations : List.of(TiledOperations.INSTANCE, Nd4jOperations.INSTANCE)) {
      INDArray result = operation.apply(operations);
      assertThat(result.shape()).isEqualTo(given[0].shape());
      assertBits(result, expected);
    }
    for (int k = 0; k < given.length; k++) {
      float[] before = elements(copies.get(k));
      assertBits(given[k], i -> before[i]);
    }
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void combines(long... shape) {
    INDArray x = batch(1, shape);
    INDArray y = batch(2, shape);
    INDArray z = batch(3, shape);
    float[] xs = elements(x);
    float[] ys = elements(y);
    float[] zs = elements(z);
    float a = (float) A;
    float b = (float) B;
    float c = (float) C;
    check(by -> by.combine(new double[] {A}, x), i -> a * xs[i], x);
    check(by -> by.combine(new double[] {A, B}, x, y), i -> a * xs[i] + b * ys[i], x, y);
    check(
        by -> by.combine(new double[] {A, B, C}, x, y, z),
        i -> (a * xs[i] + b * ys[i]) + c * zs[i],
        x,
        y,
        z);
    check(by -> by.combine(new double[] {1, B}, x, x), i -> xs[i] + b * xs[i], x);
  }

  /** Whatever is in them: infinities would make what is no number. */
  @ParameterizedTest
  @MethodSource("shapes")
  void termsOfFactorZeroDoNotCount(long... shape) {
    INDArray x = batch(1, shape);
    INDArray y = batch(2, shape);
    float[] xs = elements(x);
    float[] ys = elements(y);
    float a = (float) A;
    check(by -> by.combine(new double[] {0, A}, x, y), i -> 0 + a * ys[i], x, y);
    check(by -> by.combine(new double[] {A, 0}, x, y), i -> a * xs[i], x, y);
    check(by -> by.combine(new double[] {A, 0, A}, x, y, x), i -> a * xs[i] + a * xs[i], x, y);
    check(by -> by.combine(new double[] {0, -0.0}, x, y), i -> 0, x, y);
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void combinesWithFactorsOfEachImage(long... shape) {
    INDArray x = batch(4, shape);
    INDArray y = batch(5, shape);
    float[] xs = elements(x);
    float[] ys = elements(y);
    int images = (int) shape[0];
    int perImage = xs.length / images;
    // Every third factor is 0, and counts.
    double[] a = IntStream.range(0, images).mapToDouble(i -> i % 3 == 1 ? 0 : A + i).toArray();
    double[] b = IntStream.range(0, images).mapToDouble(i -> i % 3 == 2 ? 0 : B - i).toArray();
    check(
        by -> by.combinePerImage(a, x, b, y),
        i -> (float) a[i / perImage] * xs[i] + (float) b[i / perImage] * ys[i],
        x,
        y);
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void goesTowards(long... shape) {
    INDArray from = batch(6, shape);
    INDArray to = batch(7, shape);
    float[] froms = elements(from);
    float[] tos = elements(to);
    for (double factor : new double[] {0, 1, 7.3}) {
      float f = (float) factor;
      check(by -> by.towards(from, to, factor), i -> f * (tos[i] - froms[i]) + froms[i], from, to);
    }
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void addsInPlace(long... shape) {
    INDArray x = batch(8, shape);
    INDArray y = batch(9, shape);
    float[] xs = elements(x);
    float[] ys = elements(y);
    for (BatchOperations by : List.of(TiledOperations.INSTANCE, Nd4jOperations.INSTANCE)) {
      INDArray sum = x.dup('c');
      by.addScaled(sum, A, y);
      assertBits(sum, i -> xs[i] + (float) A * ys[i]);
      assertBits(y, i -> ys[i]);
    }
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void scalesEachImageInPlace(long... shape) {
    INDArray x = batch(18, shape);
    float[] xs = elements(x);
    int images = (int) shape[0];
    double[] factors = IntStream.range(0, images).mapToDouble(i -> A + i * B).toArray();
    for (BatchOperations by : List.of(TiledOperations.INSTANCE, Nd4jOperations.INSTANCE)) {
      INDArray scaled = x.dup('c');
      by.scalePerImage(scaled, factors);
      assertBits(scaled, i -> (float) factors[i / (xs.length / images)] * xs[i]);
    }
  }

  /** Where a mean is large, sums of squares would leave few digits of the difference. */
  @ParameterizedTest
  @CsvSource({"0, 1", "-3, 0.01", "50000, 0.01", "1e30, 1e27", "0, 1e-30"})
  void standardDeviationsAreThoseOfALoopInDoublePrecision(double mean, double deviation) {
    for (long[] shape : new long[][] {{3, 1, 5, 5}, {5, 3, 33, 31}, {1, 3, 260, 251}, {2, 2}}) {
      INDArray x = Nd4j.create(DataType.FLOAT, shape);
      Random random = new Random(19);
      for (long i = 0; i < x.length(); i++) {
        x.putScalar(i, mean + deviation * random.nextGaussian());
      }
      float[] xs = elements(x);
      double[] expected = deviations(xs, (int) shape[0]);
      for (BatchOperations by : List.of(TiledOperations.INSTANCE, Nd4jOperations.INSTANCE)) {
        double[] found = by.standardDeviations(x);
        assertThat(found).hasSameSizeAs(expected);
        for (int i = 0; i < found.length; i++) {
          assertThat(found[i]).isCloseTo(expected[i], withinPercentage(1e-8));
        }
      }
      assertBits(x, i -> xs[i]);
    }
  }

  /** The mean first, then the squares of what differs from it. */
  private static double[] deviations(float[] x, int images) {
    int perImage = x.length / images;
    double[] deviations = new double[images];
    for (int image = 0; image < images; image++) {
      double sum = 0;
      for (int i = 0; i < perImage; i++) {
        sum += x[image * perImage + i];
      }
      double squares = 0;
      for (int i = 0; i < perImage; i++) {
        squares += Math.pow(x[image * perImage + i] - sum / perImage, 2);
      }
      deviations[image] = Math.sqrt(squares / (perImage - 1));
    }
    return deviations;
  }

  /** The first element is an outlier, as far from the mean as one can be. */
  @Test
  void standardDeviationsBesideAnOutlier() {
    INDArray x = Nd4j.ones(DataType.FLOAT, 1, 100_000);
    x.putScalar(0, -1e6);
    // n-1 values are 1 and one is 1-d: the variance is d²/n.
    double expected = 1_000_001 / Math.sqrt(100_000);
    assertThat(TiledOperations.INSTANCE.standardDeviations(x)[0])
        .isCloseTo(expected, withinPercentage(1e-8));
  }

  @Test
  void standardDeviationsOfOneColourAreZeroAndOfOneElementUndefined() {
    for (BatchOperations by : List.of(TiledOperations.INSTANCE, Nd4jOperations.INSTANCE)) {
      INDArray grey = Nd4j.valueArrayOf(new long[] {2, 1, 60, 60}, 0.1, DataType.FLOAT);
      assertThat(by.standardDeviations(grey)).containsExactly(0, 0);
      assertThat(by.standardDeviations(Nd4j.ones(DataType.FLOAT, 2, 1, 1, 1))).containsOnly(NaN);
      grey.putScalar(0, Float.POSITIVE_INFINITY);
      assertThat(by.standardDeviations(grey)).containsExactly(NaN, 0);
    }
    for (int size = 1; size <= 7; size++) {
      INDArray grey = Nd4j.valueArrayOf(new long[] {2, 3, size, size}, 0.1, DataType.DOUBLE);
      assertThat(BatchArithmetic.standardDeviations(grey)).as("%d", size).containsExactly(0, 0);
    }
  }

  @Test
  void standardDeviationsOfOtherLayoutsAreOfTheSameElements() {
    INDArray x = Nd4j.createFromArray(1., 2., 4., 8., 16., 32., 64., 128.).reshape('c', 2, 2, 2, 1);
    double[] expected = {Math.sqrt(28.75 / 3), Math.sqrt(7360. / 3)};
    assertThat(BatchArithmetic.standardDeviations(x))
        .usingComparatorWithPrecision(1e-12)
        .containsExactly(expected);
    assertThat(BatchArithmetic.standardDeviations(x.dup('f')))
        .usingComparatorWithPrecision(1e-12)
        .containsExactly(expected);
    INDArray column = x.castTo(DataType.FLOAT).get(NDArrayIndex.all(), NDArrayIndex.interval(1, 2));
    assertThat(BatchArithmetic.standardDeviations(column))
        .usingComparatorWithPrecision(1e-6)
        .containsExactly(4 / Math.sqrt(2), 64 / Math.sqrt(2));
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void clips(long... shape) {
    INDArray x = batch(10, shape);
    float[] xs = elements(x);
    for (double[] range : new double[][] {{-1, 1}, {B, A}, {-2.1179, 2.64}}) {
      float min = (float) range[0];
      float max = (float) range[1];
      check(
          by -> by.clip(x, range[0], range[1]),
          i -> xs[i] < min ? min : xs[i] > max ? max : xs[i],
          x);
    }
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void putsABatchBehindItself(long... shape) {
    INDArray x = batch(17, shape);
    float[] xs = elements(x);
    long[] doubled = shape.clone();
    doubled[0] *= 2;
    for (BatchOperations by : List.of(TiledOperations.INSTANCE, Nd4jOperations.INSTANCE)) {
      INDArray twice = by.twice(x);
      assertThat(twice.shape()).isEqualTo(doubled);
      assertBits(twice, i -> xs[i % xs.length]);
    }
    INDArray doubles = BatchArithmetic.twice(x.castTo(DataType.DOUBLE));
    assertThat(doubles.dataType()).isEqualTo(DataType.DOUBLE);
    assertBits(doubles.castTo(DataType.FLOAT), i -> xs[i % xs.length]);
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void seesOneValueThatIsNotFinite(float value) {
    int length = TiledOperations.PIECE + 3 * TiledOperations.TILE + 5;
    INDArray x = Nd4j.ones(DataType.FLOAT, 1, length);
    assertThat(BatchArithmetic.isFinite(x)).isTrue();
    for (int place :
        new int[] {0, 1, TiledOperations.TILE, TiledOperations.PIECE - 1, length - 1}) {
      x.putScalar(place, value);
      assertThat(TiledOperations.INSTANCE.isFinite(x)).isFalse();
      assertThat(Nd4jOperations.INSTANCE.isFinite(x)).isFalse();
      assertThat(BatchArithmetic.isFinite(x.castTo(DataType.DOUBLE))).isFalse();
      x.putScalar(place, 1);
    }
    assertThat(BatchArithmetic.isFinite(x)).isTrue();
  }

  /** Opposite infinities, and numbers whose sum is more than the largest. */
  @Test
  void finiteIsSaidOfEachValue() {
    INDArray x = Nd4j.createFromArray(Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY);
    assertThat(BatchArithmetic.isFinite(x)).isFalse();
    assertThat(BatchArithmetic.isFinite(Nd4j.valueArrayOf(new long[] {9}, 3e38, DataType.FLOAT)))
        .isTrue();
    assertThat(BatchArithmetic.isFinite(Nd4j.createFromArray(1, 2, 3))).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"FLOAT, 3e38", "DOUBLE, 1e308", "HALF, 6e4", "BFLOAT16, 3e38"})
  void finiteIsSaidOfEachValueOfAnyTypeAndLayout(DataType type, double large) {
    INDArray many = Nd4j.valueArrayOf(new long[] {9, 9}, large, type).dup('f');
    INDArray column = many.get(NDArrayIndex.all(), NDArrayIndex.interval(3, 4));
    assertThat(BatchArithmetic.isFinite(many)).isTrue();
    assertThat(BatchArithmetic.isFinite(column)).isTrue();
    for (double value : new double[] {Double.NaN, Double.NEGATIVE_INFINITY}) {
      many.putScalar(new long[] {4, 2}, value);
      assertThat(BatchArithmetic.isFinite(many)).isFalse();
      assertThat(BatchArithmetic.isFinite(column)).isTrue();
      many.putScalar(new long[] {4, 2}, large);
      many.putScalar(new long[] {5, 3}, value);
      assertThat(BatchArithmetic.isFinite(column)).isFalse();
      many.putScalar(new long[] {5, 3}, large);
    }
    assertThat(BatchArithmetic.isFinite(many)).isTrue();
  }

  /** The parts of larger arrays: whole images lie in order, single channels do not. */
  @Test
  void viewsAreReadAndWrittenWhereTheyLie() {
    INDArray whole = batch(11, 6, 2, 5, 7);
    float[] before = elements(whole);
    INDArray images = whole.get(NDArrayIndex.interval(2, 5));
    INDArray channel = whole.get(NDArrayIndex.all(), NDArrayIndex.interval(1, 2));
    assertThat(TiledOperations.serve(images)).isTrue();
    assertThat(TiledOperations.serve(channel)).isFalse();
    float[] ofImages = elements(images);
    float[] ofChannel = elements(channel);
    float a = (float) A;
    float b = (float) B;
    assertBits(
        BatchArithmetic.combine(A, images, B, images), i -> a * ofImages[i] + b * ofImages[i]);
    assertBits(
        BatchArithmetic.combine(A, channel, B, channel), i -> a * ofChannel[i] + b * ofChannel[i]);
    BatchArithmetic.addScaled(images, A, images.dup('c'));
    int skipped = 2 * 2 * 5 * 7;
    assertBits(
        whole,
        i -> i < skipped || i >= skipped + ofImages.length ? before[i] : before[i] + a * before[i]);
  }

  /** In the precision of the first, where another is added. */
  @Test
  void otherTypesAreLeftToNd4j() {
    INDArray x = batch(12, 3, 1, 5, 5).castTo(DataType.DOUBLE);
    INDArray y = batch(13, 3, 1, 5, 5);
    double[] xs = x.data().asDouble();
    float[] ys = elements(y);
    INDArray sum = BatchArithmetic.combine(A, x, B, y);
    assertThat(sum.dataType()).isEqualTo(DataType.DOUBLE);
    double[] expected =
        IntStream.range(0, xs.length).mapToDouble(i -> A * xs[i] + (float) B * ys[i]).toArray();
    assertThat(sum.data().asDouble()).isEqualTo(expected);
    assertThat(BatchArithmetic.combine(B, y, A, x).dataType()).isEqualTo(DataType.FLOAT);
  }

  /** Column-major arrays have their elements in another order. */
  @Test
  void otherOrdersAreTakenAsTheyAre() {
    INDArray x = batch(14, 4, 3, 5, 7);
    INDArray y = batch(15, 4, 3, 5, 7);
    INDArray turned = y.dup('f');
    assertThat(TiledOperations.serve(turned)).isFalse();
    float[] xs = elements(x);
    float[] ys = elements(y);
    assertBits(
        BatchArithmetic.combine(A, x, B, turned), i -> (float) A * xs[i] + (float) B * ys[i]);
  }

  @Test
  void factorsMustGoWithWhatTheyAreFor() {
    INDArray x = batch(16, 3, 1, 2, 2);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BatchArithmetic.combine(new double[] {A, B, C}, List.of(x, x)))
        .withMessageContaining("3 factors and 2 terms");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BatchArithmetic.combine(new double[0], List.of()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BatchArithmetic.combinePerImage(new double[3], x, new double[2], x))
        .withMessageContaining("3 and 2 factors were given for 3 images");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BatchArithmetic.scalePerImage(x, A, B))
        .withMessageContaining("2 factors were given for 3 images");
  }
}
