package org.ddpm4j.diffusion.sampling;

/**
 * The integrals that multistep solvers are made of. With the polynomial P through values at nodes,
 *
 * <pre>
 *   ∫₀¹ e^{z(1-s)} P(s) ds = Σ_k w_k P(s_k),
 * </pre>
 *
 * the weights w_k follow from {@code ∫₀¹ e^{z(1-s)} s^j ds = j! φ_{j+1}(z)}, where {@code φ_0(z) =
 * e^z} and {@code φ_{j+1}(z) = (φ_j(z) - 1/j!)/z} (Hochbruck and Ostermann 2010, eq. 2.10). With z
 * = 0 these are the Adams methods, for any spacing of the nodes.
 */
final class ExponentialQuadrature {

  /** Below, the recursion for φ loses digits; its series converges fast. */
  private static final double SERIES_BELOW = 1;

  private static final int SERIES_TERMS = 20;

  private ExponentialQuadrature() {}

  /** φ_k(z), for k at least 1 and any z up to ±infinity but +infinity. */
  static double phi(int k, double z) {
    double factorial = 1;
    if (Math.abs(z) < SERIES_BELOW) {
      for (int i = 2; i <= k; i++) {
        factorial *= i;
      }
      double term = 1 / factorial;
      double sum = 0;
      for (int n = 1; n <= SERIES_TERMS; n++) {
        sum += term;
        term *= z / (n + k);
      }
      return sum;
    }
    double phi = Math.expm1(z) / z;
    for (int j = 1; j < k; j++) {
      factorial *= j;
      phi = (phi - 1 / factorial) / z;
    }
    return phi;
  }

  /**
   * The weights of the values at some nodes.
   *
   * @param z exponent, finite
   * @param nodes different from each other
   * @return a weight for each node
   */
  static double[] weights(double z, double... nodes) {
    double[] moments = new double[nodes.length];
    double factorial = 1;
    for (int j = 0; j < nodes.length; j++) {
      factorial *= Math.max(j, 1);
      moments[j] = factorial * phi(j + 1, z);
    }
    double[] weights = new double[nodes.length];
    for (int k = 0; k < nodes.length; k++) {
      double[] basis = lagrange(nodes, k);
      for (int j = 0; j < nodes.length; j++) {
        weights[k] += basis[j] * moments[j];
      }
    }
    return weights;
  }

  /**
   * The coefficients, lowest power first, of the polynomial that is 1 at node k and 0 at others.
   */
  private static double[] lagrange(double[] nodes, int k) {
    double[] product = new double[nodes.length];
    product[0] = 1;
    for (int i = 0; i < nodes.length; i++) {
      if (i != k) {
        double scale = 1 / (nodes[k] - nodes[i]);
        for (int j = nodes.length - 1; j >= 0; j--) {
          product[j] = ((j > 0 ? product[j - 1] : 0) - nodes[i] * product[j]) * scale;
        }
      }
    }
    return product;
  }
}
