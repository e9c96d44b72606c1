package org.ddpm4j.diffusion.training;

/** Sentences about values that are out of range. */
final class Ranges {

  private Ranges() {}

  static void require(boolean inRange, String name, Object value, String expectation) {
    if (!inRange) {
      throw new IllegalArgumentException("The %s is %s; %s.".formatted(name, value, expectation));
    }
  }
}
