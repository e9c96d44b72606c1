package org.ddpm4j.kernels;

/** Contexts for tests of single kernels. */
public final class KernelContexts {

  private KernelContexts() {}

  /** In float32. */
  public static KernelContext of(PackedWeights weights) {
    return new KernelContext(weights, Precision.FLOAT32);
  }
}
