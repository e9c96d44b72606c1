package org.ddpm4j.unet.layers;

/** What an error {@code d = prediction - target} of one element costs. */
public enum LossFunction {
  /** {@code |d|}. */
  L1,
  /** {@code d²}, the simple loss of Ho et al. 2020, eq. 14. */
  L2,
  /** Smooth L1 with threshold one: {@code d²/2} where {@code |d| < 1}, else {@code |d| - 1/2}. */
  HUBER,
  /**
   * {@code prediction · target}. Not a loss to train with: its gradient is the vector-Jacobian
   * product, which compares networks across libraries.
   */
  INNER_PRODUCT
}
