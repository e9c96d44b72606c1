package org.ddpm4j.spark.training;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import org.ddpm4j.diffusion.training.StepLosses;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How a step is done on a cluster that loses executors: begun until it is whole, and summed in the
 * order of its shards. Nothing of a step that was given up is used.
 */
final class ShardSchedule {

  /** How often a step is begun that the cluster fails at. */
  static final int ATTEMPTS = 4;

  private ShardSchedule() {}

  /** What can compute the shards of one step. */
  interface Cluster {

    /** How many tasks can run at once, when there is one: at least 1. */
    int awaitRoom();

    /**
     * Computes all shards by so many tasks.
     *
     * @return their gradients in any order; empty if so many executors do not come back, which is
     *     to be tried again with as many tasks as there is room for
     * @throws ExecutionException if the cluster has failed
     */
    List<ShardGradient> run(int tasks) throws ExecutionException;
  }

  /**
   * Does a step.
   *
   * @param cluster at that step
   * @param shards into how many it is cut
   * @param total receives the gradient
   * @return the losses, in the order of the shards
   * @throws UncheckedIOException if the cluster fails {@value #ATTEMPTS} times
   */
  static StepLosses compute(Cluster cluster, int shards, INDArray total) {
    int failures = 0;
    while (true) {
      try {
        List<ShardGradient> found = cluster.run(Math.min(shards, cluster.awaitRoom()));
        if (!found.isEmpty()) {
          return sum(found, shards, total);
        }
      } catch (ExecutionException e) {
        if (++failures == ATTEMPTS) {
          throw new UncheckedIOException(
              new IOException(
                  String.format(
                      Locale.ROOT,
                      "The cluster failed at a step %d times: %s",
                      ATTEMPTS,
                      e.getCause().getMessage()),
                  e.getCause()));
        }
      }
    }
  }

  /** In the order of the shards, never in that of arrival. */
  private static StepLosses sum(List<ShardGradient> found, int shards, INDArray total) {
    List<ShardGradient> parts = new ArrayList<>(found);
    parts.sort(Comparator.comparingInt(ShardGradient::shard));
    List<StepLosses> losses = new ArrayList<>();
    try (INDArray summand = total.ulike()) {
      for (int i = 0; i < shards; i++) {
        if (parts.size() != shards || parts.get(i).shard() != i) {
          throw new IllegalStateException(
              String.format(
                  Locale.ROOT,
                  "Of %d shards %d gradients came, and that of shard %d is not among them once.",
                  shards,
                  parts.size(),
                  i));
        }
        ShardGradient part = parts.get(i);
        FloatBytes.assign(i == 0 ? total : summand, part.gradient());
        if (i > 0) {
          total.addi(summand);
        }
        losses.add(new StepLosses(part.t(), part.weights(), part.losses()));
      }
    }
    return StepLosses.concat(losses);
  }
}
