package org.ddpm4j.plots;

import java.util.Locale;

/** How many of some values lie where, counted in bins of equal width. */
public final class Histogram {

  private Histogram() {}

  /**
   * Counts values.
   *
   * @param name of the series
   * @param values at least one, from {@code low} to {@code high}
   * @param low where the first bin begins
   * @param high where the last bin ends, which belongs to it; greater than {@code low}
   * @param bins how many, at least 2
   * @return steps over the middles of the bins: the share of the values in each, all of them 1
   * @throws IllegalArgumentException if there are no values, one lies outside, or the bins are not
   *     possible
   */
  public static Series shares(String name, double[] values, double low, double high, int bins) {
    if (values.length == 0 || !(low < high) || !Double.isFinite(high - low) || bins < 2) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "A histogram of %d values in %d bins from %s to %s is not possible; it takes a value, two bins, and ends in rising order.",
              values.length,
              bins,
              low,
              high));
    }
    double width = (high - low) / bins;
    double[] middles = new double[bins];
    double[] shares = new double[bins];
    for (int i = 0; i < bins; i++) {
      middles[i] = low + (i + 0.5) * width;
    }
    for (double value : values) {
      if (!(value >= low && value <= high)) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "%s lies outside of the histogram, which is from %s to %s; widen it.",
                value,
                low,
                high));
      }
      shares[(int) Math.min(bins - 1, (value - low) / width)] += 1.0 / values.length;
    }
    return new Series(name, middles, shares, LineStyle.STEPS);
  }
}
