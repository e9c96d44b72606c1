package org.ddpm4j.kernels.ops;

/**
 * An operation that in plans may have one more input, a residual, which it adds to its first output
 * as it writes it: that of a layer to its result, that of a gradient to the gradient of x.
 */
public interface AddsResidual {

  /** {@return whether the last input is added to the first output} */
  boolean addsResidual();

  /**
   * The same operation with one more input, which is added to its first output.
   *
   * @return a node of no graph, for plans
   */
  FusedOp withResidual();
}
