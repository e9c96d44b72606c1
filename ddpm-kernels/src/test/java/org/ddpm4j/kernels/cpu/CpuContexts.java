package org.ddpm4j.kernels.cpu;

import org.ddpm4j.kernels.plan.Precision;

/** Contexts for tests of single kernels. */
public final class CpuContexts {

  private CpuContexts() {}

  /** In float32. */
  public static CpuContext of(PackedWeights weights) {
    return new CpuContext(weights, Precision.FLOAT32);
  }
}
