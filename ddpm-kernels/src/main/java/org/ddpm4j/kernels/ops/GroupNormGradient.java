package org.ddpm4j.kernels.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link GroupNorm}. Inputs: x, scale, shift, gradient of the output. Outputs:
 * gradients of x, scale and shift.
 *
 * <p>In plans it may have two more inputs, in this order: a vector {@code [N,C]}, which the
 * normalisation adds to x before, and a residual {@code [N,H,W,C]}, which is added to the gradient
 * of x.
 */
public final class GroupNormGradient extends ParameterGradientOp implements AddsResidual {

  /** The settings that say which of the further inputs there are. */
  private static final int VECTOR = 2;

  private static final int RESIDUAL = 3;

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
    addIArgument(groups, function.ordinal(), 0, 0);
    addTArgument(epsilon);
  }

  private GroupNormGradient(GroupNormGradient other, int further) {
    super(3);
    for (int i = 0; i <= RESIDUAL; i++) {
      addIArgument(i == further ? 1 : other.setting(i));
    }
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

  /** {@return whether the normalisation adds a vector to x before} */
  public boolean addsVector() {
    return setting(VECTOR) == 1;
  }

  /**
   * The same gradient with one more input {@code [N,C]}, which the normalisation adds to x.
   *
   * @return a node of no graph, for plans
   */
  public GroupNormGradient withVector() {
    return new GroupNormGradient(this, VECTOR);
  }

  @Override
  public boolean addsResidual() {
    return setting(RESIDUAL) == 1;
  }

  @Override
  public GroupNormGradient withResidual() {
    return new GroupNormGradient(this, RESIDUAL);
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
