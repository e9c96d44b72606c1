package org.ddpm4j.kernels.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link GroupNorm}. Inputs: x, scale, shift, gradient of the output. Outputs:
 * gradients of x, scale and shift.
 */
public final class GroupNormGradient extends ParameterGradientOp {

  /** For SameDiff. */
  public GroupNormGradient() {
    super(3);
  }

  GroupNormGradient(
      SameDiff graph,
      SDVariable x,
      SDVariable scale,
      SDVariable shift,
      SDVariable dy,
      int groups,
      double epsilon,
      Activation function) {
    super(3, graph, x, scale, shift, dy);
    addIArgument(groups, function.ordinal());
    addTArgument(epsilon);
  }

  /** {@return the number of groups} */
  public int groups() {
    return setting(0);
  }

  /** {@return what is added to the variance} */
  public double epsilon() {
    return tArguments.get(0);
  }

  /** {@return what is done to the result} */
  public Activation function() {
    return Activation.values()[setting(1)];
  }

  @Override
  public String opName() {
    return "ddpm_group_norm_bp";
  }

  @Override
  public int inPlaceInput() {
    return 3;
  }
}
