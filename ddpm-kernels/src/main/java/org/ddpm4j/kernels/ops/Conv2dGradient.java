package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link Conv2d}. In plans it may have one more input, which is added to the
 * gradient of x.
 */
public final class Conv2dGradient extends ConvolutionGradient implements AddsResidual {

  private static final int CHANNEL_AXIS = 3;

  /** For SameDiff. */
  public Conv2dGradient() {
    super(CHANNEL_AXIS);
  }

  Conv2dGradient(
      SameDiff graph,
      SDVariable x,
      SDVariable weights,
      SDVariable dy,
      ConvolutionGeometry geometry) {
    super(CHANNEL_AXIS, graph, x, weights, dy, geometry);
  }

  private Conv2dGradient(Conv2dGradient other) {
    super(CHANNEL_AXIS);
    addIArgument(other.setting(0), other.setting(1), other.setting(2), 1);
  }

  @Override
  public boolean addsResidual() {
    return setting(3) == 1;
  }

  @Override
  public Conv2dGradient withResidual() {
    return new Conv2dGradient(this);
  }

  /** The residual's. */
  @Override
  public int inPlaceInput() {
    return addsResidual() ? 3 : super.inPlaceInput();
  }

  @Override
  public String opName() {
    return "ddpm_conv2d_bp";
  }

  @Override
  public double flops(List<long[]> inputs) {
    long[] weights = inputs.get(1);
    return 4.0 * length(inputs.get(2)) * length(weights) / weights[3];
  }
}
