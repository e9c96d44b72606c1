package org.ddpm4j.plots;

import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;

/**
 * Points with a name.
 *
 * @param name what the legend calls them; unique in a chart
 * @param x finite positions, ascending; copied in and out
 * @param y values, as many; NaN and infinities leave gaps; copied in and out
 * @param style how they are drawn
 */
public record Series(String name, double[] x, double[] y, LineStyle style) {

  /**
   * Checks that the points are complete.
   *
   * @throws IllegalArgumentException if there are no points, not as many positions as values, or
   *     the positions are not finite and ascending
   */
  public Series {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(style, "style");
    x = x.clone();
    y = y.clone();
    if (x.length == 0 || x.length != y.length) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "The series %s has %d positions and %d values; it needs at least one, and as many of both.",
              name,
              x.length,
              y.length));
    }
    for (int i = 0; i < x.length; i++) {
      if (!Double.isFinite(x[i]) || i > 0 && x[i] < x[i - 1]) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "The series %s has the position %s at index %d; positions must be finite and ascend.",
                name,
                x[i],
                i));
      }
    }
  }

  /**
   * A solid line.
   *
   * @param name what the legend calls it
   * @param x finite positions, ascending
   * @param y values, as many
   * @return the series
   * @throws IllegalArgumentException if the points are not complete
   */
  public static Series of(String name, double[] x, double[] y) {
    return new Series(name, x, y, LineStyle.SOLID);
  }

  /**
   * A solid line over the positions 0, 1, 2, … such as timesteps.
   *
   * @param name what the legend calls it
   * @param y values, at least one
   * @return the series
   * @throws IllegalArgumentException if there are no values
   */
  public static Series overIndices(String name, double[] y) {
    double[] x = new double[y.length];
    Arrays.setAll(x, i -> i);
    return of(name, x, y);
  }

  /**
   * The same points drawn otherwise.
   *
   * @param otherStyle how
   * @return a new series
   */
  public Series drawn(LineStyle otherStyle) {
    return new Series(name, x, y, otherStyle);
  }

  /** {@return the positions, in a new array} */
  @Override
  public double[] x() {
    return x.clone();
  }

  /** {@return the values, in a new array} */
  @Override
  public double[] y() {
    return y.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Series that
        && name.equals(that.name)
        && style == that.style
        && Arrays.equals(x, that.x)
        && Arrays.equals(y, that.y);
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, style, Arrays.hashCode(x), Arrays.hashCode(y));
  }

  @Override
  public String toString() {
    return "Series[name=" + name + ", points=" + x.length + ", style=" + style + "]";
  }
}
