package org.ddpm4j.schedules;

import java.util.Locale;

/** Checks that several schedules share. */
final class Requirements {

  private Requirements() {}

  /** Refuses a value in a sentence, with decimal points whatever the machine's language. */
  static void require(boolean condition, String sentence, Object... values) {
    if (!condition) {
      throw new IllegalArgumentException(String.format(Locale.ROOT, sentence, values));
    }
  }

  /** Of a number that may be anything above 0. */
  static boolean isPositive(double value) {
    return value > 0 && value < Double.POSITIVE_INFINITY;
  }

  static void requireTimesteps(int timesteps) {
    require(
        timesteps >= 1, "The number of timesteps is %d; a schedule needs at least 1.", timesteps);
  }

  static void requireAscending(int[] timesteps) {
    for (int i = 0; i < timesteps.length; i++) {
      require(
          timesteps[i] >= 0 && (i == 0 || timesteps[i] > timesteps[i - 1]),
          "timesteps[%d] is %d; the kept timesteps must ascend from 0 or more, each greater than the one before.",
          i,
          timesteps[i]);
    }
  }

  static void requireEnds(double betaStart, double betaEnd) {
    requireBeta("Beta start", betaStart);
    requireBeta("Beta end", betaEnd);
    require(
        betaStart <= betaEnd,
        "Beta end is %s, less than beta start, which is %s; noise must grow with the timesteps, so give the lesser one first.",
        betaEnd,
        betaStart);
  }

  static void requireBeta(String name, double beta) {
    require(
        beta > 0 && beta < 1,
        "%s is %s; β is a variance that must lie between 0 and 1, both excluded.",
        name,
        beta);
  }

  /** Of the first and the last ρ of a schedule. */
  static void requireRatios(double least, double greatest) {
    require(
        isPositive(least) && least < greatest && isPositive(greatest),
        "The ratios of noise to signal cannot go from %s to %s; both must be positive and finite, and the first the less.",
        least,
        greatest);
  }
}
