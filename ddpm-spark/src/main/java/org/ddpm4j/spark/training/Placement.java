package org.ddpm4j.spark.training;

/** How the tasks of a step are placed. */
public enum Placement {
  /**
   * In barrier mode: all at once, and all again where one is lost. Refused by Spark with dynamic
   * allocation.
   */
  BARRIER,
  /**
   * One by one as there is room, and only what is lost is done again. Slow tasks may be begun a
   * second time ({@code spark.speculation}).
   */
  INDEPENDENT
}
