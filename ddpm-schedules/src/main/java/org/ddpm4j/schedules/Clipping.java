package org.ddpm4j.schedules;

/**
 * How many betas a schedule's limits have changed.
 *
 * @param raised betas that the formula put below the floor
 * @param lowered betas that the formula put above the ceiling
 */
public record Clipping(int raised, int lowered) {

  /** No β was changed. */
  public static final Clipping NONE = new Clipping(0, 0);

  /**
   * Checks both numbers.
   *
   * @throws IllegalArgumentException if one is negative
   */
  public Clipping {
    Requirements.require(
        raised >= 0 && lowered >= 0,
        "A schedule cannot raise %d betas and lower %d.",
        raised,
        lowered);
  }
}
