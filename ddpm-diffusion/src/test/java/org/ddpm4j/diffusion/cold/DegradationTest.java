package org.ddpm4j.diffusion.cold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** What holds for every degradation. */
class DegradationTest {

  private static final long[] KEYS = {5, -7, 1L << 40};

  static Stream<Degradation> degradations() {
    return Stream.of(
        new GaussianBlur(4, 5, 0.6, 0.2),
        new GaussianMask(4, 0.7, 0.4, GaussianMask.Centre.MIDDLE),
        new GaussianMask(4, 0.7, 0.4, GaussianMask.Centre.RANDOM),
        new Pixelation(4),
        Snow.storm(4));
  }

  private static INDArray images(DataType dataType) {
    return TestImages.random(1, dataType, 3, 2, 9, 6);
  }

  @ParameterizedTest
  @MethodSource("degradations")
  void severityZeroIsTheImageItself(Degradation degradation) {
    for (DataType dataType : new DataType[] {DataType.FLOAT, DataType.DOUBLE}) {
      INDArray x0 = images(dataType);
      INDArray same = degradation.degrade(x0, 0, KEYS);
      assertThat(same).isNotSameAs(x0);
      assertThat(same.dataType()).isEqualTo(dataType);
      assertThat(TestImages.values(same)).containsExactly(TestImages.values(x0));
    }
  }

  @ParameterizedTest
  @MethodSource("degradations")
  void leavesItsArgumentAlone(Degradation degradation) {
    INDArray x0 = images(DataType.DOUBLE);
    double[] before = TestImages.values(x0);
    INDArray degraded = degradation.degrade(x0, 4, KEYS);
    assertThat(TestImages.values(x0)).containsExactly(before);
    assertThat(degraded.shape()).containsExactly(x0.shape());
    assertThat(TestImages.values(degraded)).isNotEqualTo(before);
  }

  @ParameterizedTest
  @MethodSource("degradations")
  void anImageDoesNotDependOnItsBatch(Degradation degradation) {
    INDArray x0 = images(DataType.DOUBLE);
    int[] severity = {3, 0, 1};
    INDArray together = degradation.degrade(x0, severity, KEYS);
    for (int i = 0; i < 3; i++) {
      INDArray alone =
          degradation.degrade(
              x0.get(NDArrayIndex.interval(i, i + 1)), severity[i], new long[] {KEYS[i]});
      INDArray part = together.get(NDArrayIndex.interval(i, i + 1));
      assertThat(TestImages.values(alone)).containsExactly(TestImages.values(part));
    }
  }

  @ParameterizedTest
  @MethodSource("degradations")
  void theOrderOfMemoryDoesNotMatter(Degradation degradation) {
    INDArray x0 = images(DataType.DOUBLE);
    assertThat(TestImages.values(degradation.degrade(x0.dup('f'), 2, KEYS)))
        .containsExactly(TestImages.values(degradation.degrade(x0, 2, KEYS)));
  }

  @ParameterizedTest
  @MethodSource("degradations")
  void getsWorseWithTheSeverity(Degradation degradation) {
    INDArray x0 = images(DataType.DOUBLE);
    double before = 0;
    for (int s = 1; s <= degradation.steps(); s++) {
      double distance = degradation.degrade(x0, s, KEYS).distance2(x0);
      assertThat(distance).as("severity %d", s).isGreaterThan(before);
      before = distance;
    }
  }

  @ParameterizedTest
  @MethodSource("degradations")
  void floatAgreesWithDouble(Degradation degradation) {
    INDArray exact = degradation.degrade(images(DataType.DOUBLE), 3, KEYS);
    INDArray rounded = degradation.degrade(images(DataType.FLOAT), 3, KEYS);
    assertThat(rounded.dataType()).isEqualTo(DataType.FLOAT);
    assertThat(rounded.castTo(DataType.DOUBLE).distance1(exact) / exact.length()).isLessThan(1e-7);
  }

  @ParameterizedTest
  @MethodSource("degradations")
  void refusesWhatDoesNotFit(Degradation degradation) {
    INDArray x0 = images(DataType.DOUBLE);
    assertThatThrownBy(() -> degradation.degrade(x0, 5, KEYS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The severity is 5; it must be in 0..4.");
    assertThatThrownBy(() -> degradation.degrade(x0, new int[] {1, -1, 1}, KEYS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The severity is -1; it must be in 0..4.");
    assertThatThrownBy(() -> degradation.degrade(x0, 1, new long[2]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("3 severities and 2 keys were given for 3 images.");
    assertThatThrownBy(() -> degradation.degrade(Nd4j.create(3, 4), 1, KEYS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("it must be [N,C,H,W], FLOAT or DOUBLE");
    assertThatThrownBy(() -> degradation.degrade(x0.castTo(DataType.INT32), 1, KEYS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("type INT");
  }

  @Test
  void optionsAreChecked() {
    assertRefused(() -> new GaussianBlur(0, 3, 1, 0), "in 0 steps does nothing");
    assertRefused(() -> new GaussianBlur(1, 4, 1, 0), "must be odd");
    assertRefused(() -> new GaussianBlur(1, 1, 1, 0), "at least 3");
    assertRefused(() -> new GaussianBlur(1, 3, 0, 0), "must start above 0");
    assertRefused(() -> new GaussianBlur(1, 3, 1, -0.1), "not shrink");
    assertRefused(
        () -> new GaussianMask(1, Double.NaN, 0, GaussianMask.Centre.MIDDLE), "starts at NaN");
    assertRefused(() -> new Pixelation(31), "choose 1 to 30");
    assertRefused(() -> new Snow(3, 1, 2, 0.5), "must not rise");
    assertRefused(() -> new Snow(3, 2, 1, 1.5), "must be in [0,1]");
  }

  private static void assertRefused(Runnable construction, String reason) {
    assertThatThrownBy(construction::run)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(reason);
  }

  @ParameterizedTest
  @MethodSource("degradations")
  void aNegativeSeverityIsRefused(Degradation degradation) {
    assertThatThrownBy(() -> degradation.degrade(images(DataType.FLOAT), -1, KEYS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("The severity is -1; it must be in 0..4.");
  }
}
