package org.ddpm4j.diffusion.editing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.ddpm4j.diffusion.random.NoiseSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class InterpolationTest {

  private static INDArray vector(double x, double y) {
    return Nd4j.createFromArray(x, y).reshape('c', 1, 1, 1, 2);
  }

  private static void assertVector(INDArray actual, double x, double y) {
    assertThat(actual.getDouble(0, 0, 0, 0)).isCloseTo(x, within(1e-12));
    assertThat(actual.getDouble(0, 0, 0, 1)).isCloseTo(y, within(1e-12));
  }

  @Test
  void anArcOfAQuarterCircle() {
    for (int degrees = 0; degrees <= 90; degrees += 15) {
      double angle = Math.toRadians(degrees);
      assertVector(
          Interpolation.SPHERICAL.between(vector(2, 0), vector(0, 2), degrees / 90.0),
          2 * Math.cos(angle),
          2 * Math.sin(angle));
    }
  }

  @Test
  void aStraightLine() {
    assertVector(Interpolation.LINEAR.between(vector(2, 0), vector(0, 4), 0.25), 1.5, 1);
  }

  @Test
  void parallelEndsAreJoinedByAStraightLine() {
    assertVector(Interpolation.SPHERICAL.between(vector(1, 1), vector(3, 3), 0.5), 2, 2);
    assertVector(Interpolation.SPHERICAL.between(vector(1, 1), vector(1, 1), 0.3), 1, 1);
  }

  @Test
  void soAreZeroAndAnything() {
    assertVector(Interpolation.SPHERICAL.between(vector(0, 0), vector(1, 3), 0.5), 0.5, 1.5);
    assertVector(Interpolation.SPHERICAL.between(vector(0, 0), vector(0, 0), 0.5), 0, 0);
  }

  @Test
  void oppositesAreRefused() {
    assertThatThrownBy(() -> Interpolation.SPHERICAL.between(vector(1, 2), vector(-1, -2), 0.5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("opposite");
    assertVector(Interpolation.LINEAR.between(vector(1, 2), vector(-1, -2), 0.5), 0, 0);
  }

  /** From (1,0) by an angle; the products of such lengths are infinite or 0 in FLOAT. */
  @ParameterizedTest
  @CsvSource({"1, 60", "1, 179.4", "1e25, 60", "1e-25, 60", "1e25, 179.4", "1e-25, 179.4"})
  void anArcInFloat(double length, double degrees) {
    INDArray a = vector(length, 0).castTo(DataType.FLOAT);
    double angle = Math.toRadians(degrees);
    INDArray b = vector(length * Math.cos(angle), length * Math.sin(angle)).castTo(DataType.FLOAT);
    INDArray point = Interpolation.SPHERICAL.between(a, b, 0.25);
    assertThat(point.dataType()).isEqualTo(DataType.FLOAT);
    assertThat(point.getDouble(0, 0, 0, 0) / length).isCloseTo(Math.cos(angle / 4), within(1e-5));
    assertThat(point.getDouble(0, 0, 0, 1) / length).isCloseTo(Math.sin(angle / 4), within(1e-5));
  }

  @Test
  void eachImageOfABatchGoesItsOwnWay() {
    INDArray a = Nd4j.concat(0, vector(2, 0), vector(1, 1));
    INDArray b = Nd4j.concat(0, vector(0, 2), vector(3, 3));
    INDArray middle = Interpolation.SPHERICAL.between(a, b, 0.5);
    assertVector(middle.get(NDArrayIndex.interval(0, 1)), Math.sqrt(2), Math.sqrt(2));
    assertVector(middle.get(NDArrayIndex.interval(1, 2)), 2, 2);
  }

  /** Noise of n pixels has a length of about √n, on the arc but not on the line. */
  @Test
  void noiseStaysNoiseOnTheArcAlone() {
    INDArray a = NoiseSource.seeded(1, 0).gaussian(0, 1, 1, 64, 64);
    INDArray b = NoiseSource.seeded(1, 1).gaussian(0, 1, 1, 64, 64);
    INDArray arc = Interpolation.SPHERICAL.path(a, b, 5);
    INDArray line = Interpolation.LINEAR.path(a, b, 5);
    double[] expected = {1, Math.sqrt(0.625), Math.sqrt(0.5), Math.sqrt(0.625), 1};
    for (int i = 0; i < 5; i++) {
      INDArray point = arc.get(NDArrayIndex.interval(i, i + 1));
      assertThat(point.norm2Number().doubleValue() / 64).isCloseTo(1, within(0.03));
      INDArray mixed = line.get(NDArrayIndex.interval(i, i + 1));
      assertThat(mixed.norm2Number().doubleValue() / 64).isCloseTo(expected[i], within(0.03));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aPathHasBothEnds(Interpolation interpolation) {
    INDArray a = NoiseSource.seeded(1, 0).gaussian(0, 1, 2, 3, 3);
    INDArray b = NoiseSource.seeded(2, 0).gaussian(0, 1, 2, 3, 3);
    INDArray path = interpolation.path(a, b, 4);
    assertThat(path.shape()).containsExactly(4, 2, 3, 3);
    assertThat(path.get(NDArrayIndex.interval(0, 1)).equalsWithEps(a, 1e-6)).isTrue();
    assertThat(path.get(NDArrayIndex.interval(3, 4)).equalsWithEps(b, 1e-6)).isTrue();
  }

  @Test
  void theShortestPathIsItsEnds() {
    INDArray path = Interpolation.LINEAR.path(vector(1, 2), vector(5, 3), 2);
    assertThat(path).isEqualTo(Nd4j.concat(0, vector(1, 2), vector(5, 3)));
  }

  @Test
  void whatHasNoWayIsRefused() {
    INDArray a = vector(1, 0);
    assertThatThrownBy(() -> Interpolation.LINEAR.path(a, a, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at least 2");
    INDArray two = Nd4j.concat(0, a, a);
    assertThatThrownBy(() -> Interpolation.LINEAR.path(two, two, 3))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("3 points between batches of 2 images");
    assertThatThrownBy(() -> Interpolation.LINEAR.between(a, a, 1.5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("1.5");
    assertThatThrownBy(() -> Interpolation.LINEAR.between(a, a.reshape(1, 1, 2, 1), 0.5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[1, 1, 2, 1]");
    assertThatThrownBy(() -> Interpolation.LINEAR.between(a.reshape(2), a.reshape(2), 0.5))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[N,C,H,W]");
  }

  /** Of images 1 to 3 of an array, ND4J takes the last for empty. */
  @ParameterizedTest
  @EnumSource
  void betweenPartsOfArrays(Interpolation interpolation) {
    INDArray all = NoiseSource.seeded(3, 0).gaussian(1, 4, 1, 2, 2);
    INDArray a = all.get(NDArrayIndex.interval(1, 4));
    INDArray b = NoiseSource.seeded(4, 0).gaussian(1, 3, 1, 2, 2);
    assertThat(interpolation.between(a, b, 0.3))
        .isEqualTo(interpolation.between(a.dup('c'), b, 0.3));
    assertThat(interpolation.between(b, a, 0.3))
        .isEqualTo(interpolation.between(b, a.dup('c'), 0.3));
  }
}
