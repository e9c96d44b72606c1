package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link DepthwiseConv2d}. Inputs: x, weights, gradient of the output. Outputs:
 * gradients of x, weights and bias.
 */
public final class DepthwiseConv2dGradient extends FusedOp {

  /** For SameDiff. */
  public DepthwiseConv2dGradient() {
    super(3);
  }

  DepthwiseConv2dGradient(
      SameDiff graph, SDVariable x, SDVariable weights, SDVariable dy, int stride, int padding) {
    super(3, graph, x, weights, dy);
    addIArgument(stride, padding);
  }

  /**
   * Stride and padding.
   *
   * @return stride and padding
   */
  public ConvolutionGeometry geometry() {
    return ConvolutionGeometry.symmetric(setting(0), setting(1));
  }

  @Override
  public String opName() {
    return "ddpm_depthwise_conv2d_bp";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] weights = inputs.get(1);
    return List.of(inputs.get(0), weights, new long[] {weights[2]});
  }

  @Override
  public boolean addsTo(int output) {
    return output > 0;
  }

  @Override
  public double flops(List<long[]> inputs) {
    long[] weights = inputs.get(1);
    return 4.0 * length(inputs.get(2)) * weights[0] * weights[1];
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Second derivatives are not supported.");
  }
}
