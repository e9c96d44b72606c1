package org.ddpm4j.spark.training;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.ddpm4j.diffusion.training.StepLosses;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A shard's part of a step, as a task's result.
 *
 * @param shard its number
 * @param t the timesteps of its images
 * @param weights of their losses
 * @param losses of its images
 * @param gradient its part of the gradient, float32
 */
record ShardGradient(int shard, int[] t, double[] weights, double[] losses, byte[] gradient)
    implements Serializable {
  private static final long serialVersionUID = 1L;

  /**
   * Adds gradients in the order of their shards, never in that of arrival.
   *
   * @param found of each shard one, in any order
   * @param total receives the sum
   * @return the losses, in the order of the shards
   */
  static StepLosses sum(List<ShardGradient> found, int shards, INDArray total) {
    List<ShardGradient> parts = new ArrayList<>(found);
    parts.sort(Comparator.comparingInt(ShardGradient::shard));
    List<StepLosses> losses = new ArrayList<>();
    try (INDArray summand = total.ulike()) {
      for (int i = 0; i < shards; i++) {
        if (parts.size() != shards || parts.get(i).shard() != i) {
          throw new IllegalStateException(
              Text.format(
                  "Of %d shard(s) %d gradients came, and that of shard %d is not among them once.",
                  shards, parts.size(), i));
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
