package org.ddpm4j.diffusion.sampling;

import org.ddpm4j.io.Text;

/** The range of the order of a solver. */
final class SolverOrder {

  private SolverOrder() {}

  static void require(String solver, int order, int highest) {
    if (order < 1 || order > highest) {
      throw new IllegalArgumentException(
          Text.format("The order of %s is %d; it must be from 1 to %d.", solver, order, highest));
    }
  }
}
