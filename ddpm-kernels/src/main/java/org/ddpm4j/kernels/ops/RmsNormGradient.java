package org.ddpm4j.kernels.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link RmsNorm}. Inputs: x, gain, gradient of the output. Outputs: gradients of x
 * and gain.
 */
public final class RmsNormGradient extends ParameterGradientOp {

  /** For SameDiff. */
  public RmsNormGradient() {
    super(2);
  }

  RmsNormGradient(SameDiff graph, SDVariable x, SDVariable gain, SDVariable dy) {
    super(2, graph, x, gain, dy);
  }

  @Override
  public String opName() {
    return "ddpm_rms_norm_bp";
  }

  @Override
  public int inPlaceInput() {
    return 2;
  }
}
