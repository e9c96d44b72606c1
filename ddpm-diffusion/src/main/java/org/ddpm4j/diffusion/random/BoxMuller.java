package org.ddpm4j.diffusion.random;

/**
 * Standard normal values of pairs of random words (Box and Muller 1958): of a and b become {@code
 * √(-2 ln u) cos φ} and {@code √(-2 ln u) sin φ} with {@code u = (a+1)/2³²} and {@code φ =
 * 2πb/2³²}.
 *
 * <p>The functions are series in double precision, for {@link Math} may give other bits on another
 * machine, and the JIT compiler makes vector instructions of sums and products, but not of its
 * calls.
 */
final class BoxMuller {

  /** Pairs that are worked on at once; their arrays stay in the first-level cache. */
  static final int TILE = 128;

  private static final double TWO_PI_BY_WORDS = 2 * Math.PI * 0x1p-32;

  private static final double LN_2 = 0.6931471805599453;

  /** The first word that stands for the quarter turn after the one that it began in. */
  private static final int EIGHTH_TURN = 1 << 29;

  private static final int QUARTER_TURN_BITS = 30;

  private static final int MANTISSA_BITS = 52;

  private static final long ROOT_HALF_BITS = Double.doubleToRawLongBits(Math.sqrt(0.5));

  /** Cosines and sines of 0 to 3 quarter turns. */
  private static final double[] QUARTER_COS = {1, 0, -1, 0};

  private static final double[] QUARTER_SIN = {0, 1, 0, -1};

  private final double[] exponent = new double[TILE];
  private final double[] mantissa = new double[TILE];
  private final double[] angle = new double[TILE];
  private final double[] turnCos = new double[TILE];
  private final double[] turnSin = new double[TILE];
  private final double[] radius = new double[TILE];
  private final double[] cos = new double[TILE];
  private final double[] sin = new double[TILE];

  /**
   * Makes values of words, of 0 to 2³²-1.
   *
   * @param a first words of the pairs
   * @param b second words
   * @param pairs how many, at most {@link #TILE}
   * @param values receives two values for each pair
   * @param first where those of the first pair go
   * @param stride how much further on those of the next go
   */
  void transform(long[] a, long[] b, int pairs, float[] values, int first, int stride) {
    reduce(a, b, exponent, mantissa, angle, turnCos, turnSin, pairs);
    radius(exponent, mantissa, radius, pairs);
    cosine(angle, cos, pairs);
    sine(angle, sin, pairs);
    turn(radius, turnCos, turnSin, cos, sin, pairs);
    int place = first;
    for (int i = 0; i < pairs; i++) {
      values[place] = (float) cos[i];
      values[place + 1] = (float) sin[i];
      place += stride;
    }
  }

  // The loops below are apart so that the JIT compiler turns those of doubles alone into vector
  // instructions.

  /** {@code u = 2^exponent · mantissa}, the mantissa in [√½,√2), and an angle of at most π/4. */
  private static void reduce(
      long[] a,
      long[] b,
      double[] exponent,
      double[] mantissa,
      double[] angle,
      double[] turnCos,
      double[] turnSin,
      int pairs) {
    for (int i = 0; i < pairs; i++) {
      long bits = Double.doubleToRawLongBits(a[i] + 1.0);
      long power = (bits - ROOT_HALF_BITS) >> MANTISSA_BITS;
      exponent[i] = power - 32;
      mantissa[i] = Double.longBitsToDouble(bits - (power << MANTISSA_BITS));
      int word = (int) b[i];
      int quarter = (word + EIGHTH_TURN) >>> QUARTER_TURN_BITS;
      angle[i] = word - (quarter << QUARTER_TURN_BITS);
      turnCos[i] = QUARTER_COS[quarter];
      turnSin[i] = QUARTER_SIN[quarter];
    }
  }

  /** {@code ln m = 2 artanh s} with {@code s = (m-1)/(m+1)}, whose square is below 0.0295. */
  private static void radius(double[] exponent, double[] mantissa, double[] radius, int pairs) {
    for (int i = 0; i < pairs; i++) {
      double s = (mantissa[i] - 1) / (mantissa[i] + 1);
      double z = s * s;
      double series = 1.0 / 21;
      series = series * z + 1.0 / 19;
      series = series * z + 1.0 / 17;
      series = series * z + 1.0 / 15;
      series = series * z + 1.0 / 13;
      series = series * z + 1.0 / 11;
      series = series * z + 1.0 / 9;
      series = series * z + 1.0 / 7;
      series = series * z + 1.0 / 5;
      series = series * z + 1.0 / 3;
      series = series * z + 1;
      radius[i] = Math.sqrt(-2 * (exponent[i] * LN_2 + 2 * s * series));
    }
  }

  /** The series of the cosine, for angles of at most π/4. */
  private static void cosine(double[] angle, double[] cos, int pairs) {
    for (int i = 0; i < pairs; i++) {
      double x = angle[i] * TWO_PI_BY_WORDS;
      double z = x * x;
      double series =
          -1.0 / (18L * 17 * 16 * 15 * 14 * 13 * 12 * 11 * 10 * 9 * 8 * 7 * 6 * 5 * 4 * 3 * 2);
      series =
          series * z + 1.0 / (16L * 15 * 14 * 13 * 12 * 11 * 10 * 9 * 8 * 7 * 6 * 5 * 4 * 3 * 2);
      series = series * z - 1.0 / (14L * 13 * 12 * 11 * 10 * 9 * 8 * 7 * 6 * 5 * 4 * 3 * 2);
      series = series * z + 1.0 / (12L * 11 * 10 * 9 * 8 * 7 * 6 * 5 * 4 * 3 * 2);
      series = series * z - 1.0 / (10L * 9 * 8 * 7 * 6 * 5 * 4 * 3 * 2);
      series = series * z + 1.0 / (8 * 7 * 6 * 5 * 4 * 3 * 2);
      series = series * z - 1.0 / (6 * 5 * 4 * 3 * 2);
      series = series * z + 1.0 / (4 * 3 * 2);
      series = series * z - 1.0 / 2;
      cos[i] = series * z + 1;
    }
  }

  /** The series of the sine, for angles of at most π/4. */
  private static void sine(double[] angle, double[] sin, int pairs) {
    for (int i = 0; i < pairs; i++) {
      double x = angle[i] * TWO_PI_BY_WORDS;
      double z = x * x;
      double series =
          1.0 / (17L * 16 * 15 * 14 * 13 * 12 * 11 * 10 * 9 * 8 * 7 * 6 * 5 * 4 * 3 * 2);
      series = series * z - 1.0 / (15L * 14 * 13 * 12 * 11 * 10 * 9 * 8 * 7 * 6 * 5 * 4 * 3 * 2);
      series = series * z + 1.0 / (13L * 12 * 11 * 10 * 9 * 8 * 7 * 6 * 5 * 4 * 3 * 2);
      series = series * z - 1.0 / (11L * 10 * 9 * 8 * 7 * 6 * 5 * 4 * 3 * 2);
      series = series * z + 1.0 / (9 * 8 * 7 * 6 * 5 * 4 * 3 * 2);
      series = series * z - 1.0 / (7 * 6 * 5 * 4 * 3 * 2);
      series = series * z + 1.0 / (5 * 4 * 3 * 2);
      series = series * z - 1.0 / (3 * 2);
      series = series * z + 1;
      sin[i] = series * x;
    }
  }

  /** Turns by so many quarters, and stretches; one summand of each sum is zero. */
  private static void turn(
      double[] radius, double[] turnCos, double[] turnSin, double[] cos, double[] sin, int pairs) {
    for (int i = 0; i < pairs; i++) {
      double c = cos[i];
      double s = sin[i];
      cos[i] = radius[i] * (turnCos[i] * c - turnSin[i] * s);
      sin[i] = radius[i] * (turnSin[i] * c + turnCos[i] * s);
    }
  }
}
