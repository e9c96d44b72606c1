package org.ddpm4j.cli.measure;

import java.io.IOException;
import java.util.Arrays;
import java.util.OptionalLong;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.io.Text;

/**
 * What bench prints of a measurement.
 *
 * @param console where to
 * @param images of a round
 */
record BenchTable(Console console, int images) {

  void print(String key, Object value) throws IOException {
    console.printLine("%-12s %s", key, value);
  }

  /**
   * The lines of speed.
   *
   * @param seconds of each round
   * @param flops floating-point operations of a round, or 0 if nobody counted them
   * @param matmulRate in GFLOP/s, or 0 if it is not known
   */
  void printSpeed(double[] seconds, double flops, double matmulRate) throws IOException {
    double[] sorted = seconds.clone();
    Arrays.sort(sorted);
    print("rounds", seconds.length);
    print("best", speed(sorted[0], flops, matmulRate));
    print("median", speed(median(sorted), flops, matmulRate));
  }

  /**
   * What memory passes in the median round.
   *
   * @param seconds of each round
   * @param bytes that the operations of a round read and make
   * @param copyRate in GB/s
   */
  void printTraffic(double[] seconds, double bytes, double copyRate) throws IOException {
    double gigabytes = bytes / median(seconds) / 1e9;
    print(
        "traffic",
        format("%.1f GB/s, %.0f %% of the copy rate", gigabytes, 100 * gigabytes / copyRate));
  }

  static double median(double[] seconds) {
    double[] sorted = seconds.clone();
    Arrays.sort(sorted);
    return (sorted[sorted.length / 2] + sorted[(sorted.length - 1) / 2]) / 2;
  }

  private String speed(double seconds, double flops, double matmulRate) {
    StringBuilder speed = new StringBuilder(rate(images / seconds));
    double gigaflops = flops / seconds / 1e9;
    if (flops > 0) {
      speed.append(format(", %.1f GFLOP/s", gigaflops));
    }
    if (flops > 0 && matmulRate > 0) {
      speed.append(format(", %.0f %% of the matmul rate", 100 * gigaflops / matmulRate));
    }
    return speed.toString();
  }

  /** Images per second, in words. */
  static String rate(double imagesPerSecond) {
    return format("%s images/s", Text.rate(imagesPerSecond));
  }

  void printMegabytes(String key, OptionalLong bytes) throws IOException {
    if (bytes.isPresent()) {
      print(key, format("%.0f MB", bytes.getAsLong() / 1e6));
    }
  }

  static String format(String pattern, Object... values) {
    return Text.format(pattern, values);
  }
}
