package org.ddpm4j.kernels.ops;

/**
 * Logarithms of probabilities under N(0,1), accurate to about 1e-14 of their value, far into the
 * tails where the probabilities themselves are 0 in double precision.
 */
public final class StandardNormal {

  private static final double LOG_SQRT_TWO_PI = 0.91893853320467274178;
  private static final double SQRT_HALF = 0.70710678118654752440;
  private static final double TWO_OVER_SQRT_PI = 1.12837916709551257390;

  /** Step of the trapezoidal rule; the error is of the order of e^-(π/step)², below 1e-16. */
  private static final double TRAPEZOID_STEP = 0.5;

  /** {@code e^-(k·step)²} for k = 1, 2, …, as long as it counts. */
  private static final double[] TRAPEZOID_WEIGHTS = trapezoidWeights();

  /** Positive nodes and weights of the Gauss-Legendre rule of 10 points on [-1,1]. */
  private static final double[] GAUSS_NODES = {
    0.14887433898163122,
    0.43339539412924719,
    0.67940956829902441,
    0.86506336668898451,
    0.97390652851717172
  };

  private static final double[] GAUSS_WEIGHTS = {
    0.29552422471475287,
    0.26926671930999636,
    0.21908636251598204,
    0.14945134915058059,
    0.06667134430868814
  };

  private StandardNormal() {}

  private static double[] trapezoidWeights() {
    double[] weights = new double[13];
    for (int k = 1; k <= weights.length; k++) {
      weights[k - 1] = Math.exp(-k * k * TRAPEZOID_STEP * TRAPEZOID_STEP);
    }
    return weights;
  }

  /**
   * An interval's probability P, and how it changes, relative to P.
   *
   * @param logProbability log P
   * @param rise {@code (φ(to) - φ(from))/P}: what log P gains for each unit by which both ends move
   *     up
   * @param weightedRise {@code (to φ(to) - from φ(from))/P}: what it gains as both ends move away
   *     from 0, each by its own distance
   */
  public record Interval(double logProbability, double rise, double weightedRise) {}

  /**
   * An interval.
   *
   * @param from its lower end, which may be infinite
   * @param to its upper end, which may be infinite
   * @param width to - from where both are finite, without what their difference would lose
   * @return its probability and the derivatives
   */
  public static Interval interval(double from, double to, double width) {
    double logProbability = logInterval(from, to);
    double middle = (from + to) / 2;
    if (Math.abs(middle) * width <= 1) {
      // Neighbouring densities: their difference as a product, which does not cancel.
      double geometricMean = Math.exp(logDensity(middle) - width * width / 8 - logProbability);
      double rise = -2 * geometricMean * Math.sinh(middle * width / 2);
      return new Interval(
          logProbability,
          rise,
          middle * rise + width * geometricMean * Math.cosh(middle * width / 2));
    }
    double atTo = relativeDensity(to, logProbability);
    double atFrom = relativeDensity(from, logProbability);
    return new Interval(
        logProbability,
        atTo - atFrom,
        (atTo == 0 ? 0 : to * atTo) - (atFrom == 0 ? 0 : from * atFrom));
  }

  /** {@code φ(z)/P}. */
  private static double relativeDensity(double z, double logProbability) {
    return Double.isInfinite(z) ? 0 : Math.exp(logDensity(z) - logProbability);
  }

  /**
   * The logarithm of the density.
   *
   * @param z where
   * @return {@code log φ(z)}
   */
  public static double logDensity(double z) {
    return -z * z / 2 - LOG_SQRT_TWO_PI;
  }

  /** {@code log P(Z > z)}. */
  static double logUpperTail(double z) {
    return z < 0 ? Math.log1p(-upperTail(-z)) : Math.log(erfcx(z * SQRT_HALF) / 2) - z * z / 2;
  }

  /** {@code log P(lower < Z < upper)}; either end may be infinite. */
  static double logInterval(double lower, double upper) {
    if (upper == Double.POSITIVE_INFINITY) {
      return logUpperTail(lower);
    }
    if (lower == Double.NEGATIVE_INFINITY) {
      return logUpperTail(-upper);
    }
    if (lower + upper < 0) {
      return logInterval(-upper, -lower);
    }
    double width = upper - lower;
    double middle = (lower + upper) / 2;
    if (width <= 1 && middle * width <= 1) {
      return Math.log(width)
          + logDensity(middle)
          + Math.log(meanOfRelativeDensity(middle, width / 2));
    }
    if (lower < 0) {
      return Math.log1p(-upperTail(-lower) - upperTail(upper));
    }
    // Both tails without the factor that makes them tiny. (upper² - lower²)/2 is middle·width.
    double difference =
        erfcx(lower * SQRT_HALF) - Math.exp(-middle * width) * erfcx(upper * SQRT_HALF);
    return Math.log(difference / 2) - lower * lower / 2;
  }

  /**
   * The mean of {@code φ(middle + s)/φ(middle)} over s from -halfWidth to halfWidth, where the
   * difference of two distribution functions would cancel.
   */
  private static double meanOfRelativeDensity(double middle, double halfWidth) {
    double sum = 0;
    for (int i = 0; i < GAUSS_NODES.length; i++) {
      double s = GAUSS_NODES[i] * halfWidth;
      sum += GAUSS_WEIGHTS[i] * Math.cosh(middle * s) * Math.exp(-s * s / 2);
    }
    return sum;
  }

  /** {@code P(Z > z)} for z at least 0. */
  private static double upperTail(double z) {
    return Math.exp(-z * z / 2) * erfcx(z * SQRT_HALF) / 2;
  }

  /**
   * The scaled complementary error function {@code e^(x²) erfc(x)} for x at least 0.
   *
   * <p>Below 1 by the series of erf whose terms are all positive (Abramowitz and Stegun 1964,
   * 7.1.6); above by the trapezoidal rule for {@code 1/π ∫ x e^-s²/(x²+s²) ds} (7.4.11), which
   * converges exponentially once the residue of the pole at s = ix is taken into account (Chiarella
   * and Reichel 1968, "On the evaluation of integrals related to the error function").
   */
  static double erfcx(double x) {
    if (x < 1) {
      double term = x * TWO_OVER_SQRT_PI;
      double scaledErf = term;
      for (int n = 1; term > scaledErf * 1e-18; n++) {
        term *= 2 * x * x / (2 * n + 1);
        scaledErf += term;
      }
      return Math.exp(x * x) - scaledErf;
    }
    double sum = 0.5;
    for (int k = TRAPEZOID_WEIGHTS.length; k >= 1; k--) {
      double s = k * TRAPEZOID_STEP / x;
      sum += TRAPEZOID_WEIGHTS[k - 1] / (1 + s * s);
    }
    double rule = 2 * TRAPEZOID_STEP / (Math.PI * x) * sum;
    double period = 2 * Math.PI / TRAPEZOID_STEP;
    // Beyond half a period the pole lies outside, and its residue would be below rounding anyway.
    return x >= period / 2
        ? rule
        : rule - 2 * Math.exp(x * x - period * x) / -Math.expm1(-period * x);
  }
}
