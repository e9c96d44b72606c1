package org.ddpm4j.kernels.plan;

import java.util.List;
import java.util.Objects;

/**
 * What a device needs to train a network by itself. All buffers are flat, in the device's memory,
 * as long as the network has parameters, and the caller's.
 *
 * @param plan computes the losses of a batch and adds to the gradient; its parameters lie in {@code
 *     weights}, its sums in {@code gradient}
 * @param prediction says what the network answers, by the same weights; null where it is not told
 *     an estimate of its own
 * @param targetNetworks whose answers make the target, in the order in which they are asked; empty
 *     where images and noise make it
 * @param cache the packed weights of the plan and the prediction
 * @param names of the plan's inputs and outputs
 * @param weights of the network
 * @param gradient of the loss
 * @param firstMoment of AdamW
 * @param secondMoment of AdamW
 * @param ema the moving average of the weights
 * @param furtherEmas moving averages of other decays
 * @param fixed what no gradient is for, and what does not decay either
 * @param optimizer AdamW's constants
 * @param helpers other devices of the same kind, which compute the gradients of the images behind
 *     the plan's, in their order
 */
public record TrainingRequest(
    GraphPlan plan,
    GraphPlan prediction,
    List<TargetNetwork> targetNetworks,
    WeightCache cache,
    Names names,
    Tensor weights,
    Tensor gradient,
    Tensor firstMoment,
    Tensor secondMoment,
    Tensor ema,
    List<Tensor> furtherEmas,
    List<Range> fixed,
    Optimizer optimizer,
    List<Helper> helpers) {

  /**
   * Checks that nothing is missing.
   *
   * @throws NullPointerException if the plan, the cache, the names or the constants are missing
   */
  public TrainingRequest {
    Objects.requireNonNull(plan, "plan");
    Objects.requireNonNull(cache, "cache");
    Objects.requireNonNull(names, "names");
    Objects.requireNonNull(optimizer, "optimizer");
    targetNetworks = List.copyOf(targetNetworks);
    furtherEmas = List.copyOf(furtherEmas);
    fixed = List.copyOf(fixed);
    helpers = List.copyOf(helpers);
  }

  /**
   * Neighbouring parameters.
   *
   * @param first place of the first in the buffers
   * @param end the place behind the last
   */
  public record Range(long first, long end) {}

  /**
   * A network that is asked before the gradient, and is told classes if the trained one is.
   *
   * @param plan says what it answers; may be that of another place in the order
   * @param cache the packed weights of the plan, which are packed anew in each step; null where the
   *     weights stay as they are
   */
  public record TargetNetwork(GraphPlan plan, WeightCache cache) {

    /**
     * Checks that there is a plan.
     *
     * @throws NullPointerException if it is missing
     */
    public TargetNetwork {
      Objects.requireNonNull(plan, "plan");
    }
  }

  /**
   * What a helper has of the device that trains.
   *
   * @param original that the update writes
   * @param copy in the helper's memory, which it is given after each update
   */
  public record Replica(Tensor original, Tensor copy) {}

  /**
   * A device that computes part of a gradient. Its buffers are flat, in its own memory.
   *
   * @param device of the same kind as the one that trains
   * @param plan computes the losses of its images and adds to its gradient; null if there are none
   * @param prediction says what the network answers; null if there are no images, or nothing is
   *     asked
   * @param targetNetworks whose answers make the target; empty if there are no images, too
   * @param cache the packed weights of the plan and the prediction
   * @param replicas of the weights, and of a moving average that a target network has
   * @param gradient of the loss
   */
  public record Helper(
      Device device,
      GraphPlan plan,
      GraphPlan prediction,
      List<TargetNetwork> targetNetworks,
      WeightCache cache,
      List<Replica> replicas,
      Tensor gradient) {

    /** Takes copies of the lists. */
    public Helper {
      targetNetworks = List.copyOf(targetNetworks);
      replicas = List.copyOf(replicas);
    }
  }

  /**
   * What the plans call their inputs and outputs. Those of the prediction and of target networks
   * are among the first three, and {@code answer}.
   *
   * @param noisyImages {@code [N,C,H,W]}; {@code [N,2C,H,W]} where an estimate of the images stands
   *     before them
   * @param timesteps {@code [N]}
   * @param labels {@code [N]}, or null where the network knows no classes
   * @param dropout keys of the masks, {@code [N,9]}, or null where the network has no dropout
   * @param target {@code [N,C,H,W]}
   * @param x0 the images, {@code [N,C,H,W]}, or null where the loss does not ask for them
   * @param coefficients of the loss, {@code [N,K]}, or null where it has none
   * @param imageWeights {@code [N]}
   * @param lossGradient a scalar, the gradient of the mean loss
   * @param losses {@code [N]}, an output
   * @param answer {@code [N,C,H,W]}, the output of the prediction; those of target networks may
   *     have further channels, which are of no matter
   */
  public record Names(
      String noisyImages,
      String timesteps,
      String labels,
      String dropout,
      String target,
      String x0,
      String coefficients,
      String imageWeights,
      String lossGradient,
      String losses,
      String answer) {}

  /**
   * AdamW's constants (Loshchilov and Hutter 2019, algorithm 2).
   *
   * @param beta1 decay of the first moment
   * @param beta2 decay of the second moment
   * @param epsilon added to the root of the second moment
   * @param maxGradientNorm longer gradients are scaled down to it
   */
  public record Optimizer(double beta1, double beta2, double epsilon, double maxGradientNorm) {}
}
