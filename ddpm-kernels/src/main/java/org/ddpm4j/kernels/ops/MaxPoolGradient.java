package org.ddpm4j.kernels.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link MaxPool}: it goes to the largest of four positions; where several are, to
 * the first in the order of rows, as in PyTorch. Inputs: x {@code [N,2H,2W,C]}, gradient of the
 * output. Output: {@code [N,2H,2W,C]}.
 */
public final class MaxPoolGradient extends GradientOp {

  /** For SameDiff. */
  public MaxPoolGradient() {
    super(1);
  }

  MaxPoolGradient(SameDiff graph, SDVariable x, SDVariable dy) {
    super(1, graph, x, dy);
  }

  @Override
  public String opName() {
    return "ddpm_max_pool_bp";
  }
}
