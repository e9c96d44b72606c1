package org.ddpm4j.plots;

import java.util.Locale;
import java.util.Objects;

/**
 * An axis of a chart.
 *
 * @param title what stands beside it; may be empty
 * @param scale how it spreads its values
 * @param min the least value shown, NaN to take it from the data
 * @param max the greatest value shown, NaN to take it from the data
 */
public record Axis(String title, Scale scale, double min, double max) {

  /** As a share of its ends; on shorter axes, rounding is all that would be seen. */
  static final double LEAST_LENGTH = 1e-6;

  /**
   * Checks the range.
   *
   * @throws IllegalArgumentException if min is not less than max by a millionth of either, one is
   *     infinite, or one is not positive on a logarithmic axis
   */
  public Axis {
    Objects.requireNonNull(title, "title");
    Objects.requireNonNull(scale, "scale");
    if (min >= max || Double.isInfinite(min) || Double.isInfinite(max)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "An axis cannot reach from %s to %s; the first must be less than the second, both finite.",
              min,
              max));
    }
    if (max - min <= LEAST_LENGTH * Math.max(Math.abs(min), Math.abs(max))) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "An axis from %s to %s is too short to be labelled.", min, max));
    }
    if (scale == Scale.LOGARITHMIC && (min <= 0 || max <= 0)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "A logarithmic axis cannot reach from %s to %s; both must be positive.",
              min,
              max));
    }
  }

  /**
   * A linear axis over the range of the data.
   *
   * @param title what stands beside it
   * @return the axis
   */
  public static Axis linear(String title) {
    return new Axis(title, Scale.LINEAR, Double.NaN, Double.NaN);
  }

  /**
   * A logarithmic axis over the range of the data.
   *
   * @param title what stands beside it
   * @return the axis
   */
  public static Axis logarithmic(String title) {
    return new Axis(title, Scale.LOGARITHMIC, Double.NaN, Double.NaN);
  }

  /**
   * The same axis with a fixed range; what lies outside is not drawn.
   *
   * @param from the least value shown, or NaN to take it from the data
   * @param to the greatest value shown, or NaN to take it from the data
   * @return a new axis
   * @throws IllegalArgumentException if the range is not possible
   */
  public Axis withRange(double from, double to) {
    return new Axis(title, scale, from, to);
  }
}
