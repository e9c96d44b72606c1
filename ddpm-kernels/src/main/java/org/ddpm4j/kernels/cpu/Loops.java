package org.ddpm4j.kernels.cpu;

/**
 * Loops over float arrays that the JIT compiler turns into vector instructions: every array is on
 * the Java heap and indexed by the counter itself. On buffers outside the heap, or with an offset,
 * it does not (measured on JDK 17 and 25), so that callers copy pieces of buffers into arrays.
 */
public final class Loops {

  private Loops() {}

  /**
   * {@code x = x·a + b}.
   *
   * @param x changed
   * @param a factors
   * @param b summands
   * @param n number of elements
   */
  public static void multiplyAdd(float[] x, float[] a, float[] b, int n) {
    for (int i = 0; i < n; i++) {
      x[i] = x[i] * a[i] + b[i];
    }
  }

  /**
   * {@code y = y·a + x·b + c}.
   *
   * @param y changed
   * @param a factors of y
   * @param x other values
   * @param b factors of x
   * @param c summands
   * @param n number of elements
   */
  public static void combine(float[] y, float[] a, float[] x, float[] b, float[] c, int n) {
    for (int i = 0; i < n; i++) {
      y[i] = y[i] * a[i] + x[i] * b[i] + c[i];
    }
  }

  /**
   * {@code x = x + y}.
   *
   * @param x changed
   * @param y summands
   * @param n number of elements
   */
  public static void add(float[] x, float[] y, int n) {
    for (int i = 0; i < n; i++) {
      x[i] += y[i];
    }
  }

  /**
   * {@code x = x·y}.
   *
   * @param x changed
   * @param y factors
   * @param n number of elements
   */
  public static void multiply(float[] x, float[] y, int n) {
    for (int i = 0; i < n; i++) {
      x[i] *= y[i];
    }
  }

  /**
   * {@code x = x·(y - z)}.
   *
   * @param x changed
   * @param y minuends
   * @param z subtrahends
   * @param n number of elements
   */
  public static void multiplyByDifference(float[] x, float[] y, float[] z, int n) {
    for (int i = 0; i < n; i++) {
      x[i] *= y[i] - z[i];
    }
  }

  /**
   * {@code sum += x·y}.
   *
   * @param sum changed
   * @param x factors
   * @param y factors
   * @param n number of elements
   */
  public static void addProducts(float[] sum, float[] x, float[] y, int n) {
    for (int i = 0; i < n; i++) {
      sum[i] += x[i] * y[i];
    }
  }

  /**
   * Sums and sums of squares of the distances from a reference.
   *
   * @param sum {@code sum += x - from}
   * @param squares {@code squares += (x - from)²}
   * @param x values
   * @param from reference
   * @param n number of elements
   */
  public static void addMoments(float[] sum, float[] squares, float[] x, float[] from, int n) {
    for (int i = 0; i < n; i++) {
      float d = x[i] - from[i];
      sum[i] += d;
      squares[i] += d * d;
    }
  }

  /**
   * Sums, and sums of products with the distances from a reference.
   *
   * @param sum {@code sum += y}
   * @param products {@code products += y·(x - from)}
   * @param y values
   * @param x values
   * @param from reference
   * @param n number of elements
   */
  public static void addCentredProducts(
      float[] sum, float[] products, float[] y, float[] x, float[] from, int n) {
    for (int i = 0; i < n; i++) {
      sum[i] += y[i];
      products[i] += y[i] * (x[i] - from[i]);
    }
  }
}
