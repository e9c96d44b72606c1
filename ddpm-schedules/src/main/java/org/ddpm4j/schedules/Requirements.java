package org.ddpm4j.schedules;

/** Checks that several schedules share. */
final class Requirements {

  private Requirements() {}

  static void requireTimesteps(int timesteps) {
    if (timesteps < 1) {
      throw new IllegalArgumentException(
          "The number of timesteps is " + timesteps + "; a schedule needs at least 1.");
    }
  }

  static void requireAscending(int[] timesteps) {
    for (int i = 0; i < timesteps.length; i++) {
      if (timesteps[i] < 0 || i > 0 && timesteps[i] <= timesteps[i - 1]) {
        throw new IllegalArgumentException(
            "timesteps["
                + i
                + "] is "
                + timesteps[i]
                + "; the kept timesteps must ascend from 0 or more, each greater than the one"
                + " before.");
      }
    }
  }

  static void requireEnds(double betaStart, double betaEnd) {
    requireBeta("Beta start", betaStart);
    requireBeta("Beta end", betaEnd);
    if (betaEnd < betaStart) {
      throw new IllegalArgumentException(
          "Beta end is "
              + betaEnd
              + ", less than beta start, which is "
              + betaStart
              + "; noise must grow with the timesteps, so give the lesser one first.");
    }
  }

  static void requireBeta(String name, double beta) {
    if (!(beta > 0 && beta < 1)) {
      throw new IllegalArgumentException(
          name + " is " + beta + "; β is a variance that must lie between 0 and 1, both excluded.");
    }
  }
}
