package org.ddpm4j.diffusion.training;

import org.ddpm4j.io.Text;

/** Sentences about values that are out of range. */
final class Ranges {

  private Ranges() {}

  static void require(boolean inRange, String name, Object value, String expectation) {
    if (!inRange) {
      throw new IllegalArgumentException(
          Text.format("The %s is %s; %s.", name, value, expectation));
    }
  }
}
