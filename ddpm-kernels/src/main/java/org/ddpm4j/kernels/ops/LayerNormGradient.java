package org.ddpm4j.kernels.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** The gradient of {@link LayerNorm}. Inputs: x, dy. Output: dx, all {@code [N,H,W,C]}. */
public final class LayerNormGradient extends GradientOp {

  /** For SameDiff. */
  public LayerNormGradient() {
    super(1);
  }

  LayerNormGradient(SameDiff graph, SDVariable x, SDVariable dy, double epsilon) {
    super(1, graph, x, dy);
    addTArgument(epsilon);
  }

  /** {@return what is added to the variance} */
  public double epsilon() {
    return tArguments.get(0);
  }

  @Override
  public String opName() {
    return "ddpm_layer_norm_bp";
  }
}
