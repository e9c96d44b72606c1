package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link Linear}. Inputs: x, weights, gradient of the output. Outputs: gradients of
 * x, weights and bias. In plans it may have one more input, which is added to the gradient of x.
 */
public final class LinearGradient extends ParameterGradientOp implements AddsResidual {

  /** For SameDiff. */
  public LinearGradient() {
    super(3);
  }

  LinearGradient(SameDiff graph, SDVariable x, SDVariable weights, SDVariable dy) {
    super(3, graph, x, weights, dy);
    addIArgument(0);
  }

  @Override
  public boolean addsResidual() {
    return setting(0) == 1;
  }

  @Override
  public LinearGradient withResidual() {
    LinearGradient added = new LinearGradient();
    added.addIArgument(1);
    return added;
  }

  /** The residual's. */
  @Override
  public int inPlaceInput() {
    return addsResidual() ? 3 : super.inPlaceInput();
  }

  @Override
  public String opName() {
    return "ddpm_linear_bp";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] weights = inputs.get(1);
    return List.of(inputs.get(0), weights, new long[] {weights[1]});
  }

  @Override
  public double flops(List<long[]> inputs) {
    return 4.0 * inputs.get(0)[0] * length(inputs.get(1));
  }
}
