package org.ddpm4j.diffusion.training;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.ddpm4j.io.Text;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;

/**
 * The gradient of a step cut into shards, one after the other on this machine and added in their
 * order: the same bits as by as many machines that do so.
 */
public final class ShardedGradientStep implements GradientStep {

  private final LocalGradientStep gradients;
  private final int shards;
  private final Parameters summand;
  private final FlatOperations operations;

  /**
   * A step in shards.
   *
   * @param unet the network, whose weights are read at each step
   * @param gradients computes each, closed with this
   * @param shards how many, at least 1
   * @throws IllegalArgumentException if there are fewer
   */
  public ShardedGradientStep(Unet unet, LocalGradientStep gradients, int shards) {
    Objects.requireNonNull(unet, "unet");
    this.gradients = Objects.requireNonNull(gradients, "gradients");
    requireShards(shards);
    this.shards = shards;
    this.summand = unet.parameters().zerosLike();
    this.operations = FlatOperations.of(unet);
  }

  /**
   * Refuses a number of parts that no step can be cut into.
   *
   * @param shards how many
   * @throws IllegalArgumentException if there are fewer than 1
   */
  public static void requireShards(int shards) {
    if (shards < 1) {
      throw new IllegalArgumentException(
          Text.format("A step cannot be cut into %d shards; it takes at least 1.", shards));
    }
  }

  @Override
  public StepLosses compute(long step, Parameters gradient) {
    List<StepLosses> losses = new ArrayList<>();
    for (int shard = 0; shard < shards; shard++) {
      Parameters target = shard == 0 ? gradient : summand;
      losses.add(gradients.compute(step, shard, shards, target));
      if (shard > 0) {
        operations.add(gradient.flat(), summand.flat());
      }
    }
    return StepLosses.concat(losses);
  }

  /** Ends the threads that add gradients; the network stays open. */
  @Override
  public void close() {
    gradients.close();
    operations.close();
  }
}
