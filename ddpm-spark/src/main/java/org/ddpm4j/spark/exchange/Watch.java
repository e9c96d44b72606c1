package org.ddpm4j.spark.exchange;

import java.io.IOException;

/** Asked, several times a second, whether what is waited for can still come. */
@FunctionalInterface
public interface Watch {

  /**
   * Looks around.
   *
   * @throws IOException if waiting is of no use
   */
  void check() throws IOException;
}
