package org.ddpm4j.kernels.cpu;

/**
 * The matrices of Winograd's F(4x4, 3x3) (Lavin and Gray 2016, section 4.1.3; points 0, ±1, ±2 and
 * ∞), applied to arrays of many numbers at once: Bᵀ to inputs, Aᵀ to products, G to weights, and
 * the transposes of all three, of which gradients consist.
 */
final class WinogradLoops {

  /** Side of the squares of outputs. */
  static final int OUT = 4;

  /** Side of the squares of inputs, {@code OUT + 3 - 1}. */
  static final int IN = 6;

  /** Frequencies: numbers that a square of inputs becomes. */
  static final int PRODUCTS = IN * IN;

  /** Side of the kernel. */
  private static final int KERNEL = 3;

  /** Pairs of channels whose weights are transformed together. */
  private static final int PAIRS_AT_ONCE = 512;

  private WinogradLoops() {}

  // The JIT compiler turns loops over few arrays into vector instructions and leaves one over all
  // twelve of a matrix as it is (measured on JDK 17): so there is a loop for each row or two.

  /** {@code G g Gᵀ} for every pair of channels of the weights, {@code [36,iC,oC]} of these. */
  static void transformWeights(CpuTensor weights, CpuTensor transformed) {
    int pairs = weights.size(2) * weights.size(3);
    float[][] g = new float[KERNEL * KERNEL][PAIRS_AT_ONCE];
    float[][] half = new float[KERNEL * IN][PAIRS_AT_ONCE];
    float[][] u = new float[IN][PAIRS_AT_ONCE];
    for (int start = 0; start < pairs; start += PAIRS_AT_ONCE) {
      int n = Math.min(PAIRS_AT_ONCE, pairs - start);
      for (int k = 0; k < g.length; k++) {
        weights.buffer().get(k * pairs + start, g[k], 0, n);
      }
      for (int column = 0; column < KERNEL; column++) {
        transformFilter(g[column], g[3 + column], g[6 + column], half, column, KERNEL, n);
      }
      for (int row = 0; row < IN; row++) {
        transformFilter(half[3 * row], half[3 * row + 1], half[3 * row + 2], u, 0, 1, n);
        for (int column = 0; column < IN; column++) {
          transformed.buffer().put((row * IN + column) * pairs + start, u[column], 0, n);
        }
      }
    }
  }

  /**
   * Adds {@code Gᵀ u G} for pairs of some input channels and all output channels.
   *
   * @param u gradient of the transformed weights, {@code [36,channels,oC]}
   * @param firstChannel of the input channels
   * @param gradient of the weights, {@code [3,3,iC,oC]}
   * @param part which of the pairs, from 0
   * @param parts of how many
   */
  static void addWeightsGradient(
      CpuTensor u, int firstChannel, CpuTensor gradient, int part, int parts) {
    int allPairs = gradient.size(2) * gradient.size(3);
    int pairs = u.size(1) * u.size(2);
    int first = firstChannel * u.size(2);
    float[][] row = new float[IN][PAIRS_AT_ONCE];
    float[][] half = new float[KERNEL * IN][PAIRS_AT_ONCE];
    float[][] column = new float[IN][];
    float[][] g = new float[KERNEL][PAIRS_AT_ONCE];
    float[] sum = new float[PAIRS_AT_ONCE];
    int end = endOfPart(pairs, part, parts);
    for (int start = endOfPart(pairs, part - 1, parts); start < end; start += PAIRS_AT_ONCE) {
      int n = Math.min(PAIRS_AT_ONCE, end - start);
      for (int r = 0; r < IN; r++) {
        for (int c = 0; c < IN; c++) {
          u.buffer().get((r * IN + c) * pairs + start, row[c], 0, n);
        }
        transformFilterBackward(row, half[3 * r], half[3 * r + 1], half[3 * r + 2], n);
      }
      for (int c = 0; c < KERNEL; c++) {
        for (int r = 0; r < IN; r++) {
          column[r] = half[3 * r + c];
        }
        transformFilterBackward(column, g[0], g[1], g[2], n);
        for (int r = 0; r < KERNEL; r++) {
          int at = (KERNEL * r + c) * allPairs + first + start;
          ParameterGradients.add(gradient, at, g[r], n, sum);
        }
      }
    }
  }

  private static int endOfPart(int pairs, int part, int parts) {
    return Math.toIntExact((long) pairs * (part + 1) / parts);
  }

  /** G times three rows. */
  private static void transformFilter(
      float[] a, float[] b, float[] c, float[][] to, int first, int step, int n) {
    transformFilter(
        a,
        b,
        c,
        to[first],
        to[first + step],
        to[first + 2 * step],
        to[first + 3 * step],
        to[first + 4 * step],
        to[first + 5 * step],
        n);
  }

  private static void transformFilter(
      float[] a,
      float[] b,
      float[] c,
      float[] u0,
      float[] u1,
      float[] u2,
      float[] u3,
      float[] u4,
      float[] u5,
      int n) {
    for (int i = 0; i < n; i++) {
      u0[i] = a[i] * (1f / 4);
    }
    for (int i = 0; i < n; i++) {
      float outer = a[i] + c[i];
      u1[i] = (outer + b[i]) * (-1f / 6);
      u2[i] = (outer - b[i]) * (-1f / 6);
    }
    for (int i = 0; i < n; i++) {
      float weighted = a[i] + 4 * c[i];
      u3[i] = (weighted + 2 * b[i]) * (1f / 24);
      u4[i] = (weighted - 2 * b[i]) * (1f / 24);
    }
    System.arraycopy(c, 0, u5, 0, n);
  }

  /** {@code Gᵀ} times six rows. */
  private static void transformFilterBackward(float[][] u, float[] a, float[] b, float[] c, int n) {
    transformFilterBackward(u[0], u[1], u[2], u[3], u[4], u[5], a, b, c, n);
  }

  private static void transformFilterBackward(
      float[] u0,
      float[] u1,
      float[] u2,
      float[] u3,
      float[] u4,
      float[] u5,
      float[] a,
      float[] b,
      float[] c,
      int n) {
    for (int i = 0; i < n; i++) {
      a[i] = u0[i] * (1f / 4) - (u1[i] + u2[i]) * (1f / 6) + (u3[i] + u4[i]) * (1f / 24);
    }
    for (int i = 0; i < n; i++) {
      b[i] = (u3[i] - u4[i]) * (1f / 12) - (u1[i] - u2[i]) * (1f / 6);
    }
    for (int i = 0; i < n; i++) {
      c[i] = (u3[i] + u4[i] - u1[i] - u2[i]) * (1f / 6) + u5[i];
    }
  }

  /** {@code Bᵀ} times six rows. */
  static void transformInput(float[][] from, float[][] to, int n) {
    transformInput(
        from[0], from[1], from[2], from[3], from[4], from[5], to[0], to[1], to[2], to[3], to[4],
        to[5], n);
  }

  private static void transformInput(
      float[] d0,
      float[] d1,
      float[] d2,
      float[] d3,
      float[] d4,
      float[] d5,
      float[] t0,
      float[] t1,
      float[] t2,
      float[] t3,
      float[] t4,
      float[] t5,
      int n) {
    for (int i = 0; i < n; i++) {
      t0[i] = 4 * d0[i] - 5 * d2[i] + d4[i];
    }
    for (int i = 0; i < n; i++) {
      float even = d4[i] - 4 * d2[i];
      float odd = d3[i] - 4 * d1[i];
      t1[i] = even + odd;
      t2[i] = even - odd;
    }
    for (int i = 0; i < n; i++) {
      float even = d4[i] - d2[i];
      float odd = 2 * (d3[i] - d1[i]);
      t3[i] = even + odd;
      t4[i] = even - odd;
    }
    for (int i = 0; i < n; i++) {
      t5[i] = 4 * d1[i] - 5 * d3[i] + d5[i];
    }
  }

  /** B times six rows. */
  static void transformInputBackward(float[][] from, float[][] to, int n) {
    transformInputBackward(
        from[0], from[1], from[2], from[3], from[4], from[5], to[0], to[1], to[2], to[3], to[4],
        to[5], n);
  }

  private static void transformInputBackward(
      float[] t0,
      float[] t1,
      float[] t2,
      float[] t3,
      float[] t4,
      float[] t5,
      float[] d0,
      float[] d1,
      float[] d2,
      float[] d3,
      float[] d4,
      float[] d5,
      int n) {
    for (int i = 0; i < n; i++) {
      d0[i] = 4 * t0[i];
    }
    for (int i = 0; i < n; i++) {
      d1[i] = 4 * (t5[i] - (t1[i] - t2[i])) - 2 * (t3[i] - t4[i]);
    }
    for (int i = 0; i < n; i++) {
      d2[i] = -5 * t0[i] - 4 * (t1[i] + t2[i]) - (t3[i] + t4[i]);
    }
    for (int i = 0; i < n; i++) {
      d3[i] = (t1[i] - t2[i]) + 2 * (t3[i] - t4[i]) - 5 * t5[i];
    }
    for (int i = 0; i < n; i++) {
      d4[i] = t0[i] + (t1[i] + t2[i]) + (t3[i] + t4[i]);
    }
    System.arraycopy(t5, 0, d5, 0, n);
  }

  /** {@code Aᵀ} times six rows. */
  static void transformOutput(float[][] m, float[][] to, int first, int step, int n) {
    transformOutput(
        m[0],
        m[1],
        m[2],
        m[3],
        m[4],
        m[5],
        to[first],
        to[first + step],
        to[first + 2 * step],
        to[first + 3 * step],
        n);
  }

  private static void transformOutput(
      float[] m0,
      float[] m1,
      float[] m2,
      float[] m3,
      float[] m4,
      float[] m5,
      float[] o0,
      float[] o1,
      float[] o2,
      float[] o3,
      int n) {
    for (int i = 0; i < n; i++) {
      o0[i] = m0[i] + (m1[i] + m2[i]) + (m3[i] + m4[i]);
    }
    for (int i = 0; i < n; i++) {
      o1[i] = m1[i] - m2[i] + 2 * (m3[i] - m4[i]);
      o2[i] = m1[i] + m2[i] + 4 * (m3[i] + m4[i]);
    }
    for (int i = 0; i < n; i++) {
      o3[i] = m1[i] - m2[i] + 8 * (m3[i] - m4[i]) + m5[i];
    }
  }

  /** A times four rows. */
  static void transformOutputBackward(float[][] from, float[][] to, int n) {
    transformOutputBackward(
        from[0], from[1], from[2], from[3], to[0], to[1], to[2], to[3], to[4], to[5], n);
  }

  private static void transformOutputBackward(
      float[] o0,
      float[] o1,
      float[] o2,
      float[] o3,
      float[] m0,
      float[] m1,
      float[] m2,
      float[] m3,
      float[] m4,
      float[] m5,
      int n) {
    System.arraycopy(o0, 0, m0, 0, n);
    for (int i = 0; i < n; i++) {
      float even = o0[i] + o2[i];
      float odd = o1[i] + o3[i];
      m1[i] = even + odd;
      m2[i] = even - odd;
    }
    for (int i = 0; i < n; i++) {
      float even = o0[i] + 4 * o2[i];
      float odd = 2 * o1[i] + 8 * o3[i];
      m3[i] = even + odd;
      m4[i] = even - odd;
    }
    System.arraycopy(o3, 0, m5, 0, n);
  }
}
