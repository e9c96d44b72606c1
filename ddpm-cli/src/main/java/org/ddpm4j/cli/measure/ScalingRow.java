package org.ddpm4j.cli.measure;

import org.ddpm4j.io.Text;

/**
 * How fast a number of threads is.
 *
 * @param threads how many
 * @param best images per second of the fastest round
 * @param median images per second of the round in the middle
 * @param outside the share of all threads' time in which they are in no operation
 */
record ScalingRow(int threads, double best, double median, double outside) {

  static final String HEADER =
      "threads   best images/s   median   efficiency   outside of operations";

  /** The part of the speed that there would be if each thread were as fast as those of another. */
  double efficiency(ScalingRow other) {
    return median / threads / (other.median / other.threads);
  }

  /** This as a line below the header, compared with the table's first row. */
  String line(ScalingRow first) {
    return Text.format(
        "%7d %15s %8s %10.0f %% %21.1f %%",
        threads, Text.rate(best), Text.rate(median), 100 * efficiency(first), 100 * outside);
  }
}
