package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of a convolution of any kind. Inputs: x, weights, gradient of the output. Outputs:
 * gradients of x, weights and bias.
 */
public abstract class ConvolutionGradient extends ParameterGradientOp {

  private final int channelAxis;

  /** For SameDiff; the output has as many channels as the weights on one axis. */
  ConvolutionGradient(int channelAxis) {
    super(3);
    this.channelAxis = channelAxis;
  }

  ConvolutionGradient(
      int channelAxis,
      SameDiff graph,
      SDVariable x,
      SDVariable weights,
      SDVariable dy,
      ConvolutionGeometry geometry) {
    super(3, graph, x, weights, dy);
    this.channelAxis = channelAxis;
    addIArgument(geometry.stride(), geometry.padding(), geometry.endPadding(), 0);
  }

  /** {@return stride and padding} */
  public final ConvolutionGeometry geometry() {
    return new ConvolutionGeometry(setting(0), setting(1), setting(2));
  }

  @Override
  public final List<long[]> outputShapes(List<long[]> inputs) {
    long[] weights = inputs.get(1);
    return List.of(inputs.get(0), weights, new long[] {weights[channelAxis]});
  }
}
