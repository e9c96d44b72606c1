package org.ddpm4j.spark.training;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.ExecutionException;
import org.ddpm4j.diffusion.training.StepLosses;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How a step is done on a cluster that loses executors: begun until it is whole, each time with as
 * many tasks as there is room for. Nothing of a step that was given up is used.
 */
final class ShardSchedule {

  /** How often a step is begun at which tasks fail. */
  static final int ATTEMPTS = 4;

  /** How often a step is begun at which executors are lost. */
  static final int LOSSES = 16;

  private ShardSchedule() {}

  /** What can compute the shards of a step. */
  interface Cluster extends AutoCloseable {

    /** How many tasks can run at once, when there is one: at least 1. */
    int awaitRoom();

    /**
     * Computes all shards by so many tasks.
     *
     * @param total receives their gradients, added in the order of the shards
     * @return the losses, in the order of the shards
     * @throws IOException if executors are lost
     * @throws ExecutionException if a task has failed
     */
    StepLosses run(StepState state, int tasks, INDArray total)
        throws IOException, ExecutionException;

    /** Lets executors go. */
    @Override
    void close();
  }

  /**
   * Does a step.
   *
   * @param state what it begins with
   * @param shards into how many it is cut
   * @param total receives the gradient
   * @return the losses, in the order of the shards
   * @throws UncheckedIOException if tasks fail {@value #ATTEMPTS} times, or executors are lost
   *     {@value #LOSSES} times
   */
  static StepLosses compute(Cluster cluster, StepState state, int shards, INDArray total) {
    int failures = 0;
    int losses = 0;
    while (true) {
      try {
        return cluster.run(state, Math.min(shards, cluster.awaitRoom()), total);
      } catch (IOException e) {
        if (++losses == LOSSES) {
          throw givenUp("lost executors", LOSSES, e);
        }
      } catch (ExecutionException e) {
        if (++failures == ATTEMPTS) {
          throw givenUp("failed", ATTEMPTS, e.getCause());
        }
      }
    }
  }

  private static UncheckedIOException givenUp(String what, int times, Throwable cause) {
    return new UncheckedIOException(
        new IOException(
            Text.format("The cluster %s at a step %d times: %s", what, times, cause.getMessage()),
            cause));
  }
}
