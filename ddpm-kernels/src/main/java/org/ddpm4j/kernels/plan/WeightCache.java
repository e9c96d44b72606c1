package org.ddpm4j.kernels.plan;

/** Copies of a network's weights in the layouts that kernels want, shared by its plans. */
public interface WeightCache extends AutoCloseable {

  /** Makes all copies anew from the weights as they are now; nobody may run a plan meanwhile. */
  void refresh();

  @Override
  void close();
}
