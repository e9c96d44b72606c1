package org.ddpm4j.kernels.cpu;

/**
 * The matrices of Winograd's one-dimensional F(4, 3), applied to rows of many numbers at once: Bᵀ
 * to inputs, Aᵀ to products, G to weights, and the transposes of all three, of which gradients
 * consist.
 *
 * <p>The points are 0, ±√½, ±√2 and ∞: with these the rounding of transformed numbers to bfloat16
 * is magnified two thirds as much as with the usual 0, ±1, ±2 and ∞ (0.5 % of the result's norm in
 * place of 0.75 %; Barabasz, Anderson, Soodhalter and Gregg 2020 treat the choice).
 */
final class Winograd1dLoops {

  /** Outputs of a tile. */
  static final int OUT = 4;

  /** Inputs of a tile, {@code OUT + 3 - 1}, and frequencies that they become. */
  static final int IN = 6;

  /** Length of the kernel. */
  static final int KERNEL = 3;

  /** Numbers of a row that are worked on together: what the first cache holds of twelve rows. */
  static final int CHUNK = 512;

  private static final float NEAR = (float) Math.sqrt(0.5);
  private static final float FAR = (float) Math.sqrt(2);

  private Winograd1dLoops() {}

  // The JIT compiler turns loops over few arrays into vector instructions and leaves one over all
  // twelve as it is (measured on JDK 17): so there is a loop for each row or two.

  /** {@code Bᵀ} times six rows. */
  static void transformInput(float[][] d, float[][] t, int n) {
    outerInput(d[0], d[2], d[4], t[0], n);
    innerInput(d[1], d[2], d[3], d[4], 2, NEAR, t[1], t[2], n);
    innerInput(d[1], d[2], d[3], d[4], 0.5f, FAR, t[3], t[4], n);
    outerInput(d[1], d[3], d[5], t[5], n);
  }

  private static void outerInput(float[] a, float[] b, float[] c, float[] t, int n) {
    for (int i = 0; i < n; i++) {
      t[i] = a[i] - 2.5f * b[i] + c[i];
    }
  }

  private static void innerInput(
      float[] d1,
      float[] d2,
      float[] d3,
      float[] d4,
      float otherSquare,
      float point,
      float[] plus,
      float[] minus,
      int n) {
    for (int i = 0; i < n; i++) {
      float even = d4[i] - otherSquare * d2[i];
      float odd = point * (d3[i] - otherSquare * d1[i]);
      plus[i] = even + odd;
      minus[i] = even - odd;
    }
  }

  /** B times six rows. */
  static void transformInputBackward(float[][] t, float[][] d, int n) {
    System.arraycopy(t[0], 0, d[0], 0, n);
    weightedDifferences(t[1], t[2], t[3], t[4], t[5], -2 * NEAR, -0.5f * FAR, 1, d[1], n);
    weightedSums(t[1], t[2], t[3], t[4], t[0], -2, -0.5f, -2.5f, d[2], n);
    weightedDifferences(t[1], t[2], t[3], t[4], t[5], NEAR, FAR, -2.5f, d[3], n);
    weightedSums(t[1], t[2], t[3], t[4], t[0], 1, 1, 1, d[4], n);
    System.arraycopy(t[5], 0, d[5], 0, n);
  }

  /** {@code to = a (t1 - t2) + b (t3 - t4) + c other}. */
  private static void weightedDifferences(
      float[] t1,
      float[] t2,
      float[] t3,
      float[] t4,
      float[] other,
      float a,
      float b,
      float c,
      float[] to,
      int n) {
    for (int i = 0; i < n; i++) {
      to[i] = a * (t1[i] - t2[i]) + b * (t3[i] - t4[i]) + c * other[i];
    }
  }

  /** {@code to = a (t1 + t2) + b (t3 + t4) + c other}. */
  private static void weightedSums(
      float[] t1,
      float[] t2,
      float[] t3,
      float[] t4,
      float[] other,
      float a,
      float b,
      float c,
      float[] to,
      int n) {
    for (int i = 0; i < n; i++) {
      to[i] = a * (t1[i] + t2[i]) + b * (t3[i] + t4[i]) + c * other[i];
    }
  }

  /** {@code Aᵀ} times six rows. */
  static void transformOutput(float[][] m, float[][] o, int n) {
    weightedSums(m[1], m[2], m[3], m[4], m[0], 1, 1, 1, o[0], n);
    difference(m[1], m[2], m[3], m[4], NEAR, FAR, o[1], n);
    sum(m[1], m[2], m[3], m[4], 0.5f, 2, o[2], n);
    weightedDifferences(m[1], m[2], m[3], m[4], m[5], 0.5f * NEAR, 2 * FAR, 1, o[3], n);
  }

  /** {@code to = a (m1 - m2) + b (m3 - m4)}. */
  private static void difference(
      float[] m1, float[] m2, float[] m3, float[] m4, float a, float b, float[] to, int n) {
    for (int i = 0; i < n; i++) {
      to[i] = a * (m1[i] - m2[i]) + b * (m3[i] - m4[i]);
    }
  }

  /** {@code to = a (m1 + m2) + b (m3 + m4)}. */
  private static void sum(
      float[] m1, float[] m2, float[] m3, float[] m4, float a, float b, float[] to, int n) {
    for (int i = 0; i < n; i++) {
      to[i] = a * (m1[i] + m2[i]) + b * (m3[i] + m4[i]);
    }
  }

  /** A times four rows. */
  static void transformOutputBackward(float[][] o, float[][] m, int n) {
    System.arraycopy(o[0], 0, m[0], 0, n);
    innerOutputBackward(o[0], o[1], o[2], o[3], 0.5f, NEAR, m[1], m[2], n);
    innerOutputBackward(o[0], o[1], o[2], o[3], 2, FAR, m[3], m[4], n);
    System.arraycopy(o[3], 0, m[5], 0, n);
  }

  private static void innerOutputBackward(
      float[] o0,
      float[] o1,
      float[] o2,
      float[] o3,
      float square,
      float point,
      float[] plus,
      float[] minus,
      int n) {
    for (int i = 0; i < n; i++) {
      float even = o0[i] + square * o2[i];
      float odd = point * (o1[i] + square * o3[i]);
      plus[i] = even + odd;
      minus[i] = even - odd;
    }
  }

  /** One row of G times the three rows of a kernel, into an array. */
  static void transformFilter(float[][] g, int frequency, float[] u, int n) {
    switch (frequency) {
      case 0 -> System.arraycopy(g[0], 0, u, 0, n);
      case 1 -> filter(g[0], g[1], g[2], -2f / 3, -2f / 3 * NEAR, -1f / 3, u, n);
      case 2 -> filter(g[0], g[1], g[2], -2f / 3, 2f / 3 * NEAR, -1f / 3, u, n);
      case 3 -> filter(g[0], g[1], g[2], 1f / 6, 1f / 6 * FAR, 1f / 3, u, n);
      case 4 -> filter(g[0], g[1], g[2], 1f / 6, -1f / 6 * FAR, 1f / 3, u, n);
      default -> System.arraycopy(g[2], 0, u, 0, n);
    }
  }

  private static void filter(
      float[] g0, float[] g1, float[] g2, float a, float b, float c, float[] u, int n) {
    for (int i = 0; i < n; i++) {
      u[i] = a * g0[i] + b * g1[i] + c * g2[i];
    }
  }

  /** {@code Gᵀ} times six rows. */
  static void transformFilterBackward(float[][] u, float[][] g, int n) {
    weightedSums(u[1], u[2], u[3], u[4], u[0], -2f / 3, 1f / 6, 1, g[0], n);
    difference(u[1], u[2], u[3], u[4], -2f / 3 * NEAR, 1f / 6 * FAR, g[1], n);
    weightedSums(u[1], u[2], u[3], u[4], u[5], -1f / 3, 1f / 3, 1, g[2], n);
  }
}
