package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Two-dimensional convolution with zero padding. Inputs: x {@code [N,H,W,iC]}, weights {@code
 * [kH,kW,iC,oC]}, and a bias {@code [oC]} or none. Output: {@code [N,oH,oW,oC]}.
 */
public final class Conv2d extends FusedOp implements AddsResidual {

  /** For SameDiff. */
  public Conv2d() {
    super(1);
  }

  /**
   * Adds the operation with symmetric padding to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,iC]}
   * @param weights {@code [kH,kW,iC,oC]}
   * @param bias {@code [oC]}, or null for none
   * @param stride along both axes
   * @param padding zeros on each side
   */
  public Conv2d(
      SameDiff graph, SDVariable x, SDVariable weights, SDVariable bias, int stride, int padding) {
    this(graph, x, weights, bias, stride, padding, padding);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,iC]}
   * @param weights {@code [kH,kW,iC,oC]}
   * @param bias {@code [oC]}, or null for none
   * @param stride along both axes
   * @param padding zeros above and on the left
   * @param endPadding zeros below and on the right
   */
  public Conv2d(
      SameDiff graph,
      SDVariable x,
      SDVariable weights,
      SDVariable bias,
      int stride,
      int padding,
      int endPadding) {
    super(1, graph, inputs(x, weights, bias));
    addIArgument(
        stride, padding, endPadding, bias == null ? 0 : 1, Activation.IDENTITY.ordinal(), 0);
  }

  private Conv2d(Conv2d other, Activation function, boolean residual) {
    super(1);
    addIArgument(
        other.setting(0),
        other.setting(1),
        other.setting(2),
        other.setting(3),
        function.ordinal(),
        residual ? 1 : 0);
  }

  static SDVariable[] inputs(SDVariable x, SDVariable weights, SDVariable bias) {
    return bias == null ? new SDVariable[] {x, weights} : new SDVariable[] {x, weights, bias};
  }

  /** {@return stride and padding} */
  public ConvolutionGeometry geometry() {
    return new ConvolutionGeometry(setting(0), setting(1), setting(2));
  }

  /** {@return whether the third input is a bias} */
  public boolean hasBias() {
    return setting(3) == 1;
  }

  /** {@return what is done to the result} */
  public Activation function() {
    return Activation.values()[setting(4)];
  }

  @Override
  public boolean addsResidual() {
    return setting(5) == 1;
  }

  /**
   * The same convolution with a function done to its result.
   *
   * @param then the function
   * @return a node of no graph, for plans
   */
  public Conv2d with(Activation then) {
    return new Conv2d(this, then, false);
  }

  @Override
  public Conv2d withResidual() {
    return new Conv2d(this, Activation.IDENTITY, true);
  }

  @Override
  public String opName() {
    return "ddpm_conv2d";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] x = inputs.get(0);
    long[] w = inputs.get(1);
    ConvolutionGeometry geometry = geometry();
    long height = geometry.outputSize(x[1], w[0]);
    return List.of(new long[] {x[0], height, geometry.outputSize(x[2], w[1]), w[3]});
  }

  @Override
  public double flops(List<long[]> inputs) {
    return 2.0 * length(outputShapes(inputs).get(0)) * length(inputs.get(1)) / inputs.get(1)[3];
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    SDVariable[] all =
        new Conv2dGradient(sameDiff, arg(0), arg(1), gradients.get(0), geometry())
            .outputVariables();
    return Arrays.asList(all).subList(0, args().length);
  }
}
