package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Transposed convolution. Inputs: x {@code [N,H,W,iC]}, weights {@code [kH,kW,oC,iC]}, bias {@code
 * [oC]}. Output: {@code [N,(H-1)s-2p+k,(W-1)s-2p+k,oC]}.
 */
public final class ConvTranspose2d extends FusedOp {

  /** For SameDiff. */
  public ConvTranspose2d() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,iC]}
   * @param weights {@code [kH,kW,oC,iC]}
   * @param bias {@code [oC]}
   * @param stride along both axes
   * @param padding of the convolution whose gradient this is
   */
  public ConvTranspose2d(
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
    return "ddpm_conv_transpose2d";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] x = inputs.get(0);
    long[] w = inputs.get(1);
    return List.of(new long[] {x[0], outputSize(x[1], w[0]), outputSize(x[2], w[1]), w[2]});
  }

  private long outputSize(long size, long kernel) {
    return (size - 1) * setting(0) - 2L * setting(1) + kernel;
  }

  @Override
  public double flops(List<long[]> inputs) {
    return 2.0 * length(inputs.get(0)) * length(inputs.get(1)) / inputs.get(1)[3];
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new ConvTranspose2dGradient(sameDiff, arg(0), arg(1), gradients.get(0), geometry())
            .outputVariables());
  }
}
