package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Java's float arithmetic is exact to the bit, vectorised or not. */
class LoopsTest {

  /** Elements beyond n, which must stay as they are. */
  private static final int REST = 5;

  private static final int ARRAYS = 5;

  /** Changes some of the arrays in their first n elements. */
  private interface Loop {
    void run(float[][] arrays, int n);
  }

  /** New values of one element's numbers. */
  private interface Element {
    float[] apply(float a, float b, float c, float d, float e);
  }

  private record Case(String name, Loop loop, Element element) {}

  static Stream<Case> cases() {
    return Stream.of(
        new Case(
            "multiplyAdd",
            (x, n) -> Loops.multiplyAdd(x[0], x[1], x[2], n),
            (a, b, c, d, e) -> new float[] {a * b + c, b, c, d, e}),
        new Case(
            "combine",
            (x, n) -> Loops.combine(x[0], x[1], x[2], x[3], x[4], n),
            (a, b, c, d, e) -> new float[] {a * b + c * d + e, b, c, d, e}),
        new Case(
            "add",
            (x, n) -> Loops.add(x[0], x[1], n),
            (a, b, c, d, e) -> new float[] {a + b, b, c, d, e}),
        new Case(
            "multiply",
            (x, n) -> Loops.multiply(x[0], x[1], n),
            (a, b, c, d, e) -> new float[] {a * b, b, c, d, e}),
        new Case(
            "multiplyByDifference",
            (x, n) -> Loops.multiplyByDifference(x[0], x[1], x[2], n),
            (a, b, c, d, e) -> new float[] {a * (b - c), b, c, d, e}),
        new Case(
            "addProducts",
            (x, n) -> Loops.addProducts(x[0], x[1], x[2], n),
            (a, b, c, d, e) -> new float[] {a + b * c, b, c, d, e}),
        new Case(
            "addMoments",
            (x, n) -> Loops.addMoments(x[0], x[1], x[2], x[3], n),
            (a, b, c, d, e) -> new float[] {a + (c - d), b + (c - d) * (c - d), c, d, e}),
        new Case(
            "addCentredProducts",
            (x, n) -> Loops.addCentredProducts(x[0], x[1], x[2], x[3], x[4], n),
            (a, b, c, d, e) -> new float[] {a + c, b + c * (d - e), c, d, e}));
  }

  static Stream<Arguments> casesAndSizes() {
    return cases()
        .flatMap(c -> Stream.of(0, 1, 2, 7, 16, 33, 1000, 1025).map(n -> Arguments.of(c, n)));
  }

  @ParameterizedTest
  @MethodSource("casesAndSizes")
  void computesEachElement(Case loop, int n) {
    SplittableRandom random = new SplittableRandom(n);
    float[][] arrays = new float[ARRAYS][n + REST];
    float[][] expected = new float[ARRAYS][n + REST];
    for (int i = 0; i < n + REST; i++) {
      for (int k = 0; k < ARRAYS; k++) {
        arrays[k][i] = (float) random.nextGaussian();
      }
      float[] element =
          i < n
              ? loop.element.apply(
                  arrays[0][i], arrays[1][i], arrays[2][i], arrays[3][i], arrays[4][i])
              : new float[] {arrays[0][i], arrays[1][i], arrays[2][i], arrays[3][i], arrays[4][i]};
      for (int k = 0; k < ARRAYS; k++) {
        expected[k][i] = element[k];
      }
    }
    loop.loop.run(arrays, n);
    assertThat(arrays).isDeepEqualTo(expected);
  }

  /** Enough calls for the JIT compiler to have replaced the bytecode by vector instructions. */
  @ParameterizedTest
  @ValueSource(ints = {1000, 1027})
  void staysTheSameWhenCompiled(int n) {
    float[] x = new float[n];
    float[] a = new float[n];
    float[] b = new float[n];
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < n; i++) {
      a[i] = (float) random.nextDouble(-0.9, 0.9);
      b[i] = (float) random.nextGaussian();
    }
    float[] expected = new float[n];
    for (int round = 0; round < 20_000; round++) {
      Loops.multiplyAdd(x, a, b, n);
    }
    for (int i = 0; i < n; i++) {
      float value = 0;
      for (int round = 0; round < 20_000; round++) {
        value = value * a[i] + b[i];
      }
      expected[i] = value;
    }
    assertThat(x).isEqualTo(expected);
  }
}
