package org.ddpm4j.spark.training;

/** How tasks are placed, and how weights and gradients travel. */
public enum Placement {
  /**
   * In barrier mode: all at once, for many steps, and all again where one is lost. They exchange
   * weights and gradients over connections of their own. Refused by Spark with dynamic allocation.
   */
  BARRIER,
  /**
   * One by one as there is room, for one step, and only what is lost is done again. Slow tasks may
   * be begun a second time ({@code spark.speculation}). Spark broadcasts the weights and brings the
   * gradients.
   */
  INDEPENDENT
}
