package org.ddpm4j.spark.training;

import java.io.Serializable;

/**
 * What a step begins with, the same for all shards.
 *
 * @param step zero-based
 * @param weights the network's, float32
 * @param timestepLosses what importance sampling has learned; null where timesteps are not drawn so
 * @param timestepCounts likewise
 */
record StepState(long step, byte[] weights, double[] timestepLosses, int[] timestepCounts)
    implements Serializable {
  private static final long serialVersionUID = 1L;
}
