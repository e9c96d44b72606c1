package org.ddpm4j.plots;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.stream.DoubleStream;

/**
 * What an axis shows, in the coordinates of the drawing: decimal logarithms where the axis is
 * logarithmic. XChart's own logarithmic axes step by absolute amounts, which 1e-40 does not feel,
 * so charts are drawn on linear axes of logarithms.
 *
 * @param scale of the axis
 * @param low the least coordinate
 * @param high the greatest coordinate
 */
record AxisRange(Scale scale, double low, double high) {

  private static final double WHOLE = 1e-6;
  private static final int LABEL_DIGITS = 3;
  private static final double LEAST_PLAIN = 0.9e-3;
  private static final double GREATEST_PLAIN = 1.1e6;

  /** The range of an axis for the values to be shown. */
  static AxisRange of(Axis axis, DoubleStream values) {
    double[] sorted =
        values
            .map(value -> coordinate(axis.scale(), value))
            .filter(Double::isFinite)
            .sorted()
            .toArray();
    double low = sorted.length == 0 ? 0 : sorted[0];
    double high = sorted.length == 0 ? 1 : sorted[sorted.length - 1];
    if (axis.scale() == Scale.LOGARITHMIC) {
      double roundLow = Math.floor(low) + Math.log10(Math.floor(mantissa(low)));
      double roundHigh = Math.floor(high) + Math.log10(Math.ceil(mantissa(high)));
      boolean hasTwoDecades = Math.floor(roundHigh + WHOLE) > Math.ceil(roundLow - WHOLE);
      low = hasTwoDecades ? roundLow : Math.floor(low);
      high = hasTwoDecades ? roundHigh : Math.max(Math.ceil(high), low + 1);
    } else if (high - low <= Axis.LEAST_LENGTH * Math.max(Math.abs(low), Math.abs(high))) {
      double margin = low == 0 ? 1 : Math.abs(low) / 2;
      low -= margin;
      high += margin;
    }
    low = Double.isNaN(axis.min()) ? low : coordinate(axis.scale(), axis.min());
    high = Double.isNaN(axis.max()) ? high : coordinate(axis.scale(), axis.max());
    // A fixed end may lie beyond all data.
    return new AxisRange(axis.scale(), low, high > low ? high : low + Math.max(1, Math.abs(low)));
  }

  /** From 1 to 10, and 1 where rounding falls just short of it. */
  private static double mantissa(double logarithm) {
    double mantissa = Math.pow(10, logarithm - Math.floor(logarithm));
    double nearest = Math.rint(mantissa);
    return Math.abs(mantissa - nearest) < WHOLE ? nearest : mantissa;
  }

  /** Where a value lies; not finite if nowhere. */
  double coordinate(double value) {
    return coordinate(scale, value);
  }

  private static double coordinate(Scale scale, double value) {
    return scale == Scale.LOGARITHMIC ? Math.log10(value) : value;
  }

  double length() {
    return high - low;
  }

  /**
   * The label of a coordinate: 0.02, 1000, 1e-40. Different ticks have different labels, or XChart
   * would look for others without end.
   */
  String label(double coordinate) {
    if (scale == Scale.LOGARITHMIC) {
      long exponent = Math.round(coordinate);
      return Math.abs(coordinate - exponent) < WHOLE
          ? text(new BigDecimal("1e" + exponent))
          : text(rounded(Math.pow(10, coordinate), Math.min(1, length())));
    }
    // What rounding leaves of 0 is no label.
    return Math.abs(coordinate) < WHOLE * length()
        ? "0"
        : text(rounded(coordinate, length() / Math.abs(coordinate)));
  }

  /** With digits enough for a hundredth of the axis, given its length as a share of the value. */
  private static BigDecimal rounded(double value, double share) {
    int digits = LABEL_DIGITS + (int) Math.max(0, Math.ceil(-Math.log10(share)));
    return new BigDecimal(value).round(new MathContext(digits));
  }

  private static String text(BigDecimal value) {
    double size = Math.abs(value.doubleValue());
    BigDecimal stripped = value.stripTrailingZeros();
    if (size > LEAST_PLAIN && size < GREATEST_PLAIN) {
      return stripped.toPlainString();
    }
    int exponent = stripped.precision() - stripped.scale() - 1;
    return stripped.scaleByPowerOfTen(-exponent).stripTrailingZeros().toPlainString()
        + "e"
        + exponent;
  }
}
