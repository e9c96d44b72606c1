package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Convolution of every channel with a kernel of its own, stride 1. Inputs: x {@code [N,H,W,C]},
 * weights {@code [kH,kW,C,1]}, bias {@code [C]}. Output: {@code [N,oH,oW,C]}.
 */
public final class DepthwiseConv2d extends FusedOp {

  /** For SameDiff. */
  public DepthwiseConv2d() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,C]}
   * @param weights {@code [kH,kW,C,1]}
   * @param bias {@code [C]}
   * @param stride along both axes
   * @param padding zeros on each side
   */
  public DepthwiseConv2d(
      SameDiff graph, SDVariable x, SDVariable weights, SDVariable bias, int stride, int padding) {
    super(1, graph, x, weights, bias);
    addIArgument(stride, padding);
  }

  /** {@return stride and padding} */
  public ConvolutionGeometry geometry() {
    return ConvolutionGeometry.symmetric(setting(0), setting(1));
  }

  @Override
  public String opName() {
    return "ddpm_depthwise_conv2d";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] x = inputs.get(0);
    long[] w = inputs.get(1);
    return List.of(new long[] {x[0], outputSize(x[1], w[0]), outputSize(x[2], w[1]), x[3]});
  }

  private long outputSize(long size, long kernel) {
    return (size + 2L * setting(1) - kernel) / setting(0) + 1;
  }

  @Override
  public double flops(List<long[]> inputs) {
    long[] weights = inputs.get(1);
    return 2.0 * length(outputShapes(inputs).get(0)) * weights[0] * weights[1];
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new DepthwiseConv2dGradient(sameDiff, arg(0), arg(1), gradients.get(0), geometry())
            .outputVariables());
  }
}
