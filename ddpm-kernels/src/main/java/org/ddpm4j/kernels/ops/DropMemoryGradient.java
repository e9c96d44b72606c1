package org.ddpm4j.kernels.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link DropMemory}: zeros for the positions that it takes away. Inputs: x, whose
 * shape alone is looked at, and the gradient of the output. Output: the gradient of x.
 */
public final class DropMemoryGradient extends GradientOp {

  /** For SameDiff. */
  public DropMemoryGradient() {
    super(1);
  }

  DropMemoryGradient(SameDiff graph, SDVariable x, SDVariable dy) {
    super(1, graph, x, dy);
  }

  @Override
  public String opName() {
    return "ddpm_drop_memory_bp";
  }
}
