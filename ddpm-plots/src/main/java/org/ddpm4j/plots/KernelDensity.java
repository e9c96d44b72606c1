package org.ddpm4j.plots;

import java.util.Arrays;
import java.util.Locale;

/**
 * The density of a distribution, estimated from samples: the mean of a normal density around each
 * (Parzen 1962).
 */
public final class KernelDensity {

  private static final double SQRT_TWO_PI = Math.sqrt(2 * Math.PI);

  private final double[] samples;
  private final double bandwidth;

  private KernelDensity(double[] samples, double bandwidth) {
    this.samples = samples;
    this.bandwidth = bandwidth;
  }

  /**
   * The estimate with Scott's bandwidth.
   *
   * @param samples at least two, finite, not all equal; copied
   * @return the estimate
   * @throws IllegalArgumentException if there is no density of such samples
   */
  public static KernelDensity of(double[] samples) {
    return of(samples, Bandwidth.SCOTT);
  }

  /**
   * The estimate with a rule's bandwidth.
   *
   * @param samples at least two, finite, not all equal; copied
   * @param rule for the bandwidth
   * @return the estimate
   * @throws IllegalArgumentException if there is no density of such samples
   */
  public static KernelDensity of(double[] samples, Bandwidth rule) {
    double mean = Arrays.stream(samples).average().orElse(Double.NaN);
    double squares = Arrays.stream(samples).map(x -> (x - mean) * (x - mean)).sum();
    double deviation = Math.sqrt(squares / (samples.length - 1));
    // Where all are equal, rounding may still leave a deviation.
    boolean isSpread = Arrays.stream(samples).distinct().limit(2).count() == 2;
    if (!isSpread || !Double.isFinite(deviation)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%d samples with the standard deviation %s have no density; it takes two or more that are finite and not all equal.",
              samples.length,
              deviation));
    }
    return new KernelDensity(samples.clone(), deviation * rule.factor(samples.length));
  }

  /** {@return the standard deviation of each sample's normal density, h, positive} */
  public double bandwidth() {
    return bandwidth;
  }

  /**
   * The density at one place.
   *
   * @param x the place
   * @return the density, at least 0
   */
  public double at(double x) {
    double sum = 0;
    for (double sample : samples) {
      double distance = (x - sample) / bandwidth;
      sum += Math.exp(-distance * distance / 2);
    }
    return sum / (samples.length * bandwidth * SQRT_TWO_PI);
  }

  /**
   * The density over an evenly spaced grid.
   *
   * @param name of the curve
   * @param from the first place
   * @param to the last place, greater than {@code from}
   * @param points how many places, at least 2
   * @return the curve
   * @throws IllegalArgumentException if the grid is not possible
   */
  public Series curve(String name, double from, double to, int points) {
    double[] x = grid(from, to, points);
    return Series.of(name, x, Arrays.stream(x).map(this::at).toArray());
  }

  /**
   * The density of N(0, 1) over an evenly spaced grid, as a reference.
   *
   * @param from the first place
   * @param to the last place, greater than {@code from}
   * @param points how many places, at least 2
   * @return the curve, named N(0,1)
   * @throws IllegalArgumentException if the grid is not possible
   */
  static Series standardNormal(double from, double to, int points) {
    double[] x = grid(from, to, points);
    double[] y =
        Arrays.stream(x).map(value -> Math.exp(-value * value / 2) / SQRT_TWO_PI).toArray();
    return new Series("N(0,1)", x, y, LineStyle.REFERENCE);
  }

  private static double[] grid(double from, double to, int points) {
    if (!(from < to) || points < 2) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "A grid of %d places from %s to %s is not possible; it takes two or more, and the first must be the lesser.",
              points,
              from,
              to));
    }
    double[] x = new double[points];
    for (int i = 0; i < points; i++) {
      x[i] = from + (to - from) * i / (points - 1);
    }
    return x;
  }
}
