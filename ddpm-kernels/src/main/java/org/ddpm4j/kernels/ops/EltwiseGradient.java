package org.ddpm4j.kernels.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** The gradient of {@link Eltwise}. Inputs: x, gradient of the output. Output: gradient of x. */
public final class EltwiseGradient extends GradientOp {

  /** For SameDiff. */
  public EltwiseGradient() {
    super(1);
  }

  EltwiseGradient(SameDiff graph, SDVariable x, SDVariable dy, Activation function) {
    super(1, graph, x, dy);
    addIArgument(function.ordinal());
  }

  /** {@return the function} */
  public Activation function() {
    return Activation.values()[setting(0)];
  }

  @Override
  public String opName() {
    return "ddpm_eltwise_bp";
  }

  @Override
  public int inPlaceInput() {
    return 1;
  }
}
