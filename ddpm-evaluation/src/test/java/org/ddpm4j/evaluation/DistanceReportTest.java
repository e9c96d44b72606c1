package org.ddpm4j.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which images each figure is of. */
class DistanceReportTest {

  /** One feature an image. */
  private static Features line(int count, IntFunction<Number> place) {
    float[][] values = new float[count][1];
    for (int i = 0; i < count; i++) {
      values[i][0] = place.apply(i).floatValue();
    }
    return Features.of(values);
  }

  private static ReferenceFeatures reference(Features features) {
    return reference(features, List.of(), List.of());
  }

  private static ReferenceFeatures reference(
      Features features, List<FeatureStatistics> byClass, List<String> classNames) {
    return new ReferenceFeatures(
        "x",
        "numbers",
        "f",
        FeatureStatistics.of(features),
        byClass,
        classNames,
        features,
        IntStream.range(0, features.count()).boxed().toList());
  }

  /** Of one feature the distance is (m₁ - m₂)² + (s₁ - s₂)². */
  @Test
  void aClassIsComparedWithItsOwnImages() {
    ReferenceFeatures reference =
        reference(
            line(20, i -> i),
            List.of(
                FeatureStatistics.of(line(3, i -> 10 * i)),
                FeatureStatistics.of(line(1, i -> i)),
                FeatureStatistics.of(line(3, i -> 5 + i)),
                FeatureStatistics.of(line(4, i -> i))),
            List.of("wide", "single", "narrow", "alone"));
    // Class 2 has 4, 6 and 8, class 0 0 to 6, class 3 one image, and class 1 two.
    Features found = line(13, i -> new int[] {4, 0, 1, 6, 2, 3, 8, 4, 5, 6, 7, 7, 7}[i]);
    int[] labels = {2, 0, 0, 2, 0, 0, 2, 0, 0, 0, 3, 1, 1};

    List<DistanceReport.OfClass> classes = DistanceReport.of(reference, found, labels).classes();

    assertThat(classes).extracting("name").containsExactly("wide", "narrow");
    assertThat(classes).extracting("images").containsExactly(7, 3);
    // Standard deviations: of 0, 10 and 20 10, of 0 to 6 √(28/6); of 5 to 7 1, of 4, 6 and 8 2.
    double ofWide = 49 + Math.pow(10 - Math.sqrt(28 / 6.0), 2);
    assertThat(classes.get(0).frechet()).isCloseTo(ofWide, within(1e-9));
    assertThat(classes.get(1).frechet()).isCloseTo(1, within(1e-9));
  }

  /**
   * Where 20 images are compared with 1000, a real image's fifth neighbour is 3 away, and the 20
   * are near to few; among 20 of the real ones it is far, and some image is near to almost all.
   */
  @Test
  void neighboursAreOfAsManyRealImages() {
    Features found = line(20, i -> 50 * i + 25.5);

    DistanceReport report = DistanceReport.of(reference(line(1000, i -> i)), found, null);

    assertThat(DensityCoverage.of(line(1000, i -> i), found, 5).coverage()).isLessThan(0.15);
    assertThat(report.densityCoverage().coverage()).isGreaterThan(0.9);
    assertThat(report.precisionRecall().precision()).isGreaterThan(0.8);
    // The others are of all images.
    assertThat(report.referenceImages()).isEqualTo(1000);
    assertThat(report.images()).isEqualTo(20);
    assertThat(report.classes()).isEmpty();
    assertThat(report.inceptionScore()).isEmpty();
  }

  @Test
  void moreImagesThanRealOnesAreCompared() {
    Features real = line(6, i -> 10 * i);

    DistanceReport report = DistanceReport.of(reference(real), line(12, i -> 5 * i), null);

    // Each fifth nearest is at an end: radii of 30, 40 and 50 reach all from 0 to 55.
    assertThat(report.densityCoverage().coverage()).isEqualTo(1);
    assertThat(report.kernel().subsetSize()).isEqualTo(3);
  }

  private static Features certain(int images) {
    float[][] probabilities = new float[images][2];
    for (int i = 0; i < images; i++) {
      probabilities[i][2 * i / images] = 1;
    }
    return new Features(line(images, i -> i).values(), probabilities);
  }

  /** Half of the images are surely of one class, and then half of the other: a score of 2. */
  @ParameterizedTest
  @ValueSource(ints = {10, 198})
  void theInceptionScoreOfFewImagesIsOfOnePart(int images) {
    DistanceReport report =
        DistanceReport.of(reference(line(20, i -> i)), certain(images), new int[0]);

    InceptionScore score = report.inceptionScore().orElseThrow();
    assertThat(score.value()).isCloseTo(2, within(1e-12));
    assertThat(score.standardDeviation()).isZero();
  }

  /** Cut in order, each part would be of one class, and the score 1. */
  @Test
  void partsOfTheInceptionScoreAreMixed() {
    DistanceReport report = DistanceReport.of(reference(line(20, i -> i)), certain(400), null);

    InceptionScore score = report.inceptionScore().orElseThrow();
    assertThat(score.value()).isBetween(1.95, 2.0);
    assertThat(score.standardDeviation()).isBetween(1e-6, 0.05);
  }

  @Test
  void refusesTooFewImages() {
    ReferenceFeatures reference = reference(line(20, i -> i));

    assertThatIllegalArgumentException()
        .isThrownBy(() -> DistanceReport.of(reference, line(9, i -> i), null))
        .withMessageContaining("Distances of 9 images tell nothing; take 10");
    assertThat(DistanceReport.of(reference, line(10, i -> 2 * i), null).frechet()).isPositive();
  }
}
