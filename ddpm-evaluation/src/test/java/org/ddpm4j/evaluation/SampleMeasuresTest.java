package org.ddpm4j.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Kernel distance, precision and recall, density and coverage, inception score. */
class SampleMeasuresTest {

  private static final Offset<Double> ROUNDING = within(1e-12);

  private final Features real = DistancesFixture.real();
  private final Features generated = DistancesFixture.generated();

  private static Features line(double... places) {
    float[][] values = new float[places.length][1];
    for (int i = 0; i < places.length; i++) {
      values[i][0] = (float) places[i];
    }
    return Features.of(values);
  }

  private static Features gaussian(long seed, int count, double mean) {
    Random random = new Random(seed);
    float[][] values = new float[count][6];
    for (float[] row : values) {
      for (int j = 0; j < row.length; j++) {
        row[j] = (float) (mean + random.nextGaussian());
      }
    }
    return Features.of(values);
  }

  @Test
  void kernelDistanceIsNumPys() {
    double expected = DistancesFixture.expected("kernel")[0];

    assertThat(KernelDistance.squaredDiscrepancy(real, generated))
        .isCloseTo(expected, within(1e-9 * Math.abs(expected)));
  }

  @Test
  void subsetsScatterAroundTheKernelDistance() {
    double whole = KernelDistance.squaredDiscrepancy(real, generated);

    KernelDistance distance = KernelDistance.between(real, generated, 200, 60, 1);

    assertThat(distance.value()).isCloseTo(whole, within(4 * distance.error()));
    assertThat(distance.standardDeviation()).isPositive();
    assertThat(KernelDistance.between(real, generated, 1, 180, 1).error()).isZero();
    assertThat(KernelDistance.between(real, generated, 1)).extracting("subsetSize").isEqualTo(90);
  }

  @Test
  void kernelDistanceOfOneDistributionHasNoBias() {
    KernelDistance same =
        KernelDistance.between(gaussian(1, 2000, 0), gaussian(2, 2000, 0), 40, 100, 3);
    KernelDistance apart =
        KernelDistance.between(gaussian(1, 2000, 0), gaussian(2, 2000, 0.5), 40, 100, 3);

    assertThat(same.value()).isCloseTo(0, within(5 * same.error()));
    assertThat(apart.value()).isGreaterThan(20 * apart.error());
  }

  @Test
  void precisionAndRecallAreNumPys() {
    double[] expected = DistancesFixture.expected("precision_recall");

    PrecisionRecall found = PrecisionRecall.of(real, generated, PrecisionRecall.NEIGHBOURS);

    assertThat(found.precision()).isCloseTo(expected[0], ROUNDING);
    assertThat(found.recall()).isCloseTo(expected[1], ROUNDING);
    assertThat(found.precision()).isBetween(0.3, 0.99);
  }

  /** Real images at 0, 1, 10 and 11 reach one far; two generated ones are where none is. */
  @Test
  void precisionAndRecallOnALine() {
    PrecisionRecall found = PrecisionRecall.of(line(0, 1, 10, 11), line(0.5, 1.5, 5, 4.8), 1);

    assertThat(found.precision()).isEqualTo(0.5);
    // 0.5 and 1.5 reach one far, 5 and 4.8 a fifth.
    assertThat(found.recall()).isEqualTo(0.5);
  }

  @Test
  void densityAndCoverageAreNumPys() {
    double[] expected = DistancesFixture.expected("density_coverage");

    DensityCoverage found = DensityCoverage.of(real, generated, DensityCoverage.NEIGHBOURS);

    assertThat(found.density()).isCloseTo(expected[0], ROUNDING);
    assertThat(found.coverage()).isCloseTo(expected[1], ROUNDING);
    assertThat(found.coverage()).isBetween(0.3, 0.99);
  }

  @Test
  void densityAndCoverageOnALine() {
    DensityCoverage found = DensityCoverage.of(line(0, 1, 10, 12), line(0.5, 0.6, 20), 1);

    // 0.5 and 0.6 lie within two neighbourhoods each.
    assertThat(found.density()).isCloseTo(4 / 3.0, ROUNDING);
    assertThat(found.coverage()).isEqualTo(0.5);
  }

  /**
   * Against a plain loop over whole numbers, which are few and coarse, so that many distances are
   * equal: a rounding error decided there whether an image was within a radius.
   */
  @ParameterizedTest
  @ValueSource(ints = {0, 100, 10_000, 1_000_000})
  void equalDistancesAreEqual(int offset) {
    for (int seed = 0; seed < 10; seed++) {
      int[][] a = grid(seed, 40, offset);
      int[][] b = grid(seed + 100, 30, offset);
      int k = 1 + seed % 5;
      Features realOnes = scaled(a);
      Features generatedOnes = scaled(b);

      PrecisionRecall found = PrecisionRecall.of(realOnes, generatedOnes, k);
      DensityCoverage counted = DensityCoverage.of(realOnes, generatedOnes, k);

      assertThat(found.precision()).isCloseTo(share(b, a, k), ROUNDING);
      assertThat(found.recall()).isCloseTo(share(a, b, k), ROUNDING);
      long inside = 0;
      int covered = 0;
      for (int[] centre : a) {
        long radius = radius(centre, a, k);
        long near = Arrays.stream(b).filter(other -> square(centre, other) < radius).count();
        inside += near;
        covered += near > 0 ? 1 : 0;
      }
      assertThat(counted.density()).isCloseTo(inside / (30.0 * k), ROUNDING);
      assertThat(counted.coverage()).isCloseTo(covered / 40.0, ROUNDING);
    }
  }

  private static int[][] grid(long seed, int count, int offset) {
    Random random = new Random(seed);
    return IntStream.range(0, count)
        .mapToObj(i -> random.ints(7, offset, offset + 3).toArray())
        .toArray(int[][]::new);
  }

  /** Of different sizes, exact in FLOAT; their squares are not exact in DOUBLE. */
  private static Features scaled(int[][] grid) {
    float[][] values = new float[grid.length][grid[0].length];
    for (int i = 0; i < values.length; i++) {
      for (int j = 0; j < values[i].length; j++) {
        values[i][j] = Math.scalb((float) grid[i][j], -3 * j);
      }
    }
    return Features.of(values);
  }

  /** In whole numbers of the least that there is. */
  private static long square(int[] a, int[] b) {
    return IntStream.range(0, a.length)
        .mapToLong(j -> (long) (a[j] - b[j]) * (a[j] - b[j]) << 6 * (a.length - j))
        .sum();
  }

  /** The image itself comes first, 0 away. */
  private static long radius(int[] centre, int[][] set, int k) {
    return Arrays.stream(set).mapToLong(other -> square(centre, other)).sorted().toArray()[k];
  }

  private static double share(int[][] images, int[][] set, int k) {
    return Arrays.stream(images)
        .mapToInt(
            image ->
                Arrays.stream(set).anyMatch(other -> square(image, other) <= radius(other, set, k))
                    ? 1
                    : 0)
        .average()
        .orElseThrow();
  }

  @Test
  void inceptionScoreIsNumPys() {
    double[] expected = DistancesFixture.expected("inception_score");

    InceptionScore found = InceptionScore.of(generated, 6);

    assertThat(found.value()).isCloseTo(expected[0], within(1e-6));
    assertThat(found.standardDeviation()).isCloseTo(expected[1], within(1e-6));
  }

  @Test
  void inceptionScoreGoesFromOneToTheNumberOfClasses() {
    float[][] nothing = new float[8][1];
    float[][] certain = new float[8][4];
    float[][] undecided = new float[8][4];
    for (int i = 0; i < 8; i++) {
      certain[i][i % 4] = 1;
      undecided[i] = new float[] {0.1f, 0.2f, 0.3f, 0.4f};
    }

    assertThat(InceptionScore.of(new Features(nothing, certain), 2).value()).isCloseTo(4, ROUNDING);
    assertThat(InceptionScore.of(new Features(nothing, undecided), 2).value())
        .isCloseTo(1, within(1e-7));
  }

  /** Their exponentials would be infinite, and those of the numbers before them are no logits. */
  @Test
  void probabilitiesOfLargeLogits() {
    double[] row = {5000, 7, 1000, 1000 + Math.log(3), 9000};

    assertThat(Softmax.of(row, 2, 2)).containsExactly(new double[] {0.25, 0.75}, ROUNDING);
  }

  @Test
  void refusesTooFewImages() {
    assertThatThrownBy(() -> KernelDistance.between(line(0, 1, 2), line(1, 2, 3), 1))
        .hasMessageContaining("50 subsets of 1 image ");
    assertThatThrownBy(() -> PrecisionRecall.of(line(0, 1, 2), line(1, 2, 3), 3))
        .hasMessageContaining("3 images have no 3-th nearest neighbours");
    assertThatThrownBy(() -> InceptionScore.of(line(0, 1), 1))
        .hasMessageContaining("take a classifier");
    assertThatThrownBy(() -> PrecisionRecall.of(line(0, 1, 2, 3), real, 3))
        .hasMessageContaining("Features of 12 numbers");
  }
}
