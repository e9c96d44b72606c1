package org.ddpm4j.diffusion.sampling;

import java.util.Locale;

/** The range of the order of a solver. */
final class SolverOrder {

  private SolverOrder() {}

  static void require(String solver, int order, int highest) {
    if (order < 1 || order > highest) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "The order of %s is %d; it must be from 1 to %d.",
              solver,
              order,
              highest));
    }
  }
}
