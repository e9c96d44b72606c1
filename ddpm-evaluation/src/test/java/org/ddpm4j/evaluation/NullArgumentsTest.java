package org.ddpm4j.evaluation;

import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.ddpm4j.diffusion.image.Normalization;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Arguments that are missing are named at once. */
class NullArgumentsTest {

  private static Arguments missing(String name, ThrowingCallable call) {
    return Arguments.of(name, call);
  }

  static Stream<Arguments> calls() {
    INDArray images = Nd4j.zeros(DataType.FLOAT, 2, 1, 2, 2);
    Features features = Pixels.asFeatures(images);
    FeatureStatistics statistics = FeatureStatistics.of(features);
    return Stream.of(
        missing("images", () -> Pixels.of(null, Normalization.UNIT)),
        missing("normalization", () -> Pixels.of(images, null)),
        missing("pixels", () -> Pixels.asFeatures(null)),
        missing("a", () -> FrechetDistance.between(null, statistics)),
        missing("b", () -> FrechetDistance.between(statistics, null)),
        missing("features", () -> FeatureStatistics.of(null)),
        missing("a", () -> KernelDistance.between(null, features, 1)),
        missing("b", () -> KernelDistance.between(features, null, 1)),
        missing("real", () -> PrecisionRecall.of(null, features, 1)),
        missing("generated", () -> PrecisionRecall.of(features, null, 1)),
        missing("reference", () -> DistanceReport.of(null, features, null)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("calls")
  void namesWhatIsMissing(String name, ThrowingCallable call) {
    assertThatNullPointerException().isThrownBy(call).withMessage(name);
  }
}
