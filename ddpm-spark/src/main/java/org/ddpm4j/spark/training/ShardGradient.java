package org.ddpm4j.spark.training;

import java.io.Serializable;

/**
 * A shard's part of a step.
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
}
