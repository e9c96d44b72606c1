package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link GroupNorm}. Inputs: x, scale, shift, gradient of the output. Outputs:
 * gradients of x, scale and shift.
 */
public final class GroupNormGradient extends GradientOp {

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
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0), inputs.get(1), inputs.get(2));
  }

  @Override
  public boolean addsTo(int output) {
    return output > 0;
  }

  @Override
  public int inPlaceInput() {
    return 3;
  }
}
