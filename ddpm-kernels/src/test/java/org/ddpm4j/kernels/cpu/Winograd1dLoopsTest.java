package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The transforms of F(4, 3) against the sum that they stand for, and their transposes. */
class Winograd1dLoopsTest {

  private static final int COLUMNS = 37;

  private final SplittableRandom random = new SplittableRandom(5);

  private float[][] noise(int rows) {
    float[][] values = new float[rows][COLUMNS];
    for (float[] row : values) {
      for (int i = 0; i < COLUMNS; i++) {
        row[i] = (float) random.nextGaussian();
      }
    }
    return values;
  }

  private static float[][] transformedFilter(float[][] g) {
    float[][] u = new float[Winograd1dLoops.IN][COLUMNS];
    for (int f = 0; f < u.length; f++) {
      Winograd1dLoops.transformFilter(g, f, u[f], COLUMNS);
    }
    return u;
  }

  @Test
  void makesFourSumsOfThreeProductsBySixProducts() {
    float[][] d = noise(6);
    float[][] g = noise(3);
    float[][] v = new float[6][COLUMNS];
    Winograd1dLoops.transformInput(d, v, COLUMNS);
    float[][] u = transformedFilter(g);
    for (int f = 0; f < 6; f++) {
      Loops.multiply(v[f], u[f], COLUMNS);
    }
    float[][] y = new float[4][COLUMNS];
    Winograd1dLoops.transformOutput(v, y, COLUMNS);
    for (int r = 0; r < 4; r++) {
      for (int i = 0; i < COLUMNS; i++) {
        double expected =
            (double) d[r][i] * g[0][i]
                + (double) d[r + 1][i] * g[1][i]
                + (double) d[r + 2][i] * g[2][i];
        assertThat((double) y[r][i]).isCloseTo(expected, within(2e-5));
      }
    }
  }

  /** A matrix times rows. */
  private interface Transform {
    void apply(float[][] from, float[][] to, int n);
  }

  /** Of a matrix M, {@code (M a)·b = a·(Mᵀ b)} for all a and b. */
  private void assertTransposed(int from, int to, Transform matrix, Transform transposed) {
    float[][] a = noise(from);
    float[][] b = noise(to);
    float[][] forward = new float[to][COLUMNS];
    float[][] backward = new float[from][COLUMNS];
    matrix.apply(a, forward, COLUMNS);
    transposed.apply(b, backward, COLUMNS);
    assertThat(innerProduct(a, backward)).isCloseTo(innerProduct(forward, b), within(1e-4));
  }

  private static double innerProduct(float[][] a, float[][] b) {
    double sum = 0;
    for (int r = 0; r < a.length; r++) {
      for (int i = 0; i < COLUMNS; i++) {
        sum += (double) a[r][i] * b[r][i];
      }
    }
    return sum;
  }

  @Test
  void goesBackByTransposes() {
    assertTransposed(
        6, 6, Winograd1dLoops::transformInput, Winograd1dLoops::transformInputBackward);
    assertTransposed(
        6, 4, Winograd1dLoops::transformOutput, Winograd1dLoops::transformOutputBackward);
    assertTransposed(
        3,
        6,
        (g, u, n) -> System.arraycopy(transformedFilter(g), 0, u, 0, u.length),
        Winograd1dLoops::transformFilterBackward);
  }
}
