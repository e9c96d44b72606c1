package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** The gradient of {@link ConvTranspose2d}. */
public final class ConvTranspose2dGradient extends ConvolutionGradient {

  private static final int CHANNEL_AXIS = 2;

  /** For SameDiff. */
  public ConvTranspose2dGradient() {
    super(CHANNEL_AXIS);
  }

  ConvTranspose2dGradient(
      SameDiff graph,
      SDVariable x,
      SDVariable weights,
      SDVariable dy,
      ConvolutionGeometry geometry) {
    super(CHANNEL_AXIS, graph, x, weights, dy, geometry);
  }

  @Override
  public String opName() {
    return "ddpm_conv_transpose2d_bp";
  }

  @Override
  public double flops(List<long[]> inputs) {
    long[] weights = inputs.get(1);
    return 4.0 * length(inputs.get(0)) * length(weights) / weights[3];
  }
}
