package org.ddpm4j.kernels.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link GroupNorm}. Inputs: x, scale, shift, gradient of the output. Outputs:
 * gradients of x, scale and shift. In plans it may have one more input, which is added to the
 * gradient of x.
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
    addIArgument(groups, function.ordinal(), 0);
    addTArgument(epsilon);
  }

  private GroupNormGradient(GroupNormGradient other) {
    super(3);
    addIArgument(other.setting(0), other.setting(1), 1);
    addTArgument(other.epsilon());
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

  /** {@return whether the last input is added to the gradient of x} */
  public boolean addsResidual() {
    return setting(2) == 1;
  }

  /**
   * The same gradient with one more input, which is added to that of x.
   *
   * @return a node of no graph, for plans
   */
  public GroupNormGradient withResidual() {
    return new GroupNormGradient(this);
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
