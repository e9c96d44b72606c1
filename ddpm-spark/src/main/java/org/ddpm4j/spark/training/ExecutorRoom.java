package org.ddpm4j.spark.training;

import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;

/** How many tasks a cluster can run at once. */
final class ExecutorRoom {

  private static final long POLL_MILLIS = 100;

  private final SparkContext spark;

  ExecutorRoom(JavaSparkContext context) {
    this.spark = context.sc();
  }

  int tasks() {
    return spark.maxNumConcurrentTasks(spark.resourceProfileManager().defaultResourceProfile());
  }

  /** Waits until there is room for one. */
  int await() {
    try {
      while (true) {
        int tasks = tasks();
        if (tasks > 0) {
          return tasks;
        }
        Thread.sleep(POLL_MILLIS);
      }
    } catch (InterruptedException e) {
      throw interrupted();
    }
  }

  /** What a training ends with that is interrupted; the thread stays so. */
  static UncheckedIOException interrupted() {
    Thread.currentThread().interrupt();
    return new UncheckedIOException(
        new InterruptedIOException("Training was interrupted while executors were at a step."));
  }
}
