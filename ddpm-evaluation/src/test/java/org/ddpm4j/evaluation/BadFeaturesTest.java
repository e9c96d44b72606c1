package org.ddpm4j.evaluation;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/** Figures of features that are none are refused: they looked like figures. */
class BadFeaturesTest {

  private static Features features(int count, int dimensions) {
    float[][] values = new float[count][dimensions];
    for (int i = 0; i < count; i++) {
      Arrays.fill(values[i], i);
    }
    return Features.of(values);
  }

  private static Features damaged(float value) {
    Features features = features(20, 4);
    features.values()[3][2] = value;
    return features;
  }

  private static Arguments refused(String sentence, ThrowingCallable call) {
    return Arguments.of(sentence, call);
  }

  static Stream<Arguments> calls() {
    Features good = features(20, 4);
    Features nan = damaged(Float.NaN);
    Features infinite = damaged(Float.NEGATIVE_INFINITY);
    Features short3 = features(20, 3);
    float[][] probabilities = new float[20][2];
    probabilities[3][0] = Float.NaN;
    FeatureStatistics statistics = FeatureStatistics.of(good);
    ReferenceFeatures few =
        new ReferenceFeatures(
            "x",
            "five images",
            "f",
            statistics,
            List.of(),
            List.of(),
            features(5, 4),
            IntStream.range(0, 5).boxed().toList());
    ReferenceFeatures reference =
        new ReferenceFeatures(
            "x",
            "images",
            "f",
            statistics,
            List.of(),
            List.of(),
            good,
            IntStream.range(0, 20).boxed().toList());
    String feature = "A feature of image 3 is not finite";
    return Stream.of(
        refused(feature, () -> PrecisionRecall.of(good, nan, 3)),
        refused(feature, () -> DensityCoverage.of(nan, good, 5)),
        refused(feature, () -> DensityCoverage.of(good, infinite, 5)),
        refused(feature, () -> KernelDistance.between(good, nan, 0)),
        refused(feature, () -> KernelDistance.between(nan, good, 0)),
        refused("0 subsets of 5 images", () -> KernelDistance.between(good, good, 0, 5, 0)),
        refused("1 subset of 1 image", () -> KernelDistance.between(good, good, 1, 1, 0)),
        refused("1 subset of 21 images", () -> KernelDistance.between(good, good, 1, 21, 0)),
        refused("in 0 part", () -> InceptionScore.of(good, 0)),
        refused(
            "One image has 4 features and another 3",
            () -> Features.of(new float[][] {new float[4], new float[3]})),
        refused(feature, () -> new NearestImages(nan).add(good)),
        refused(feature, () -> new NearestImages(good).add(infinite)),
        refused(
            "A probability of image 3 is not finite",
            () -> InceptionScore.of(new Features(good.values(), probabilities), 1)),
        refused(
            "Features of 4 numbers cannot be compared with features of 3",
            () -> KernelDistance.between(good, short3, 0)),
        refused(
            "5 real images will not do for a comparison (five images); take 6",
            () -> DistanceReport.of(few, good, null)),
        refused(
            "There are 20 images and the classes of 2",
            () -> DistanceReport.of(reference, good, new int[2])),
        refused("are of no image", () -> Pixels.asFeatures(Nd4j.empty(DataType.FLOAT))),
        refused("statistics of 0 features", () -> FeatureStatistics.empty(0)),
        refused("statistics of 100000 features", () -> FeatureStatistics.empty(100_000)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("calls")
  void aSentenceSaysWhatIsWrong(String sentence, ThrowingCallable call) {
    assertThatIllegalArgumentException().isThrownBy(call).withMessageContaining(sentence);
  }
}
