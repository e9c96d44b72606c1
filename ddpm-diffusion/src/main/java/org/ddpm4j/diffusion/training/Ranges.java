package org.ddpm4j.diffusion.training;

import java.util.Locale;

/** Sentences about values that are out of range. */
final class Ranges {

  private Ranges() {}

  static void require(boolean inRange, String name, Object value, String expectation) {
    if (!inRange) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "The %s is %s; %s.", name, value, expectation));
    }
  }
}
