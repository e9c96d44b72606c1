package org.ddpm4j.kernels.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** The gradient of {@link Mean}. Inputs: x, gradient of the mean. Output: gradient of x. */
public final class MeanGradient extends GradientOp {

  /** For SameDiff. */
  public MeanGradient() {
    super(1);
  }

  MeanGradient(SameDiff graph, SDVariable x, SDVariable gradient) {
    super(1, graph, x, gradient);
  }

  @Override
  public String opName() {
    return "ddpm_mean_bp";
  }
}
