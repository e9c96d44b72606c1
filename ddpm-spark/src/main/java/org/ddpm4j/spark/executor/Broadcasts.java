package org.ddpm4j.spark.executor;

import org.apache.spark.broadcast.Broadcast;

/** What is done with broadcasts besides reading them. */
public final class Broadcasts {

  private Broadcasts() {}

  /**
   * Takes a broadcast from the driver and all executors, and does so for a thread that is
   * interrupted, too: Spark asks and waits for an answer, which such a thread does not get.
   *
   * @param broadcast of no use any longer
   */
  public static void destroy(Broadcast<?> broadcast) {
    boolean interrupted = Thread.interrupted();
    try {
      broadcast.destroy();
    } catch (Exception e) {
      // Scala throws it undeclared. The executors have been asked; their answers are not needed.
      if (!(e instanceof InterruptedException)) {
        throw e;
      }
      interrupted = true;
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
