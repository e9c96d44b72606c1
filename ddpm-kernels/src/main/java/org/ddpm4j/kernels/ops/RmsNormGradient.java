package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link RmsNorm}. Inputs: x, gain, gradient of the output. Outputs: gradients of x
 * and gain.
 */
public final class RmsNormGradient extends GradientOp {

  /** For SameDiff. */
  public RmsNormGradient() {
    super(2);
  }

  RmsNormGradient(SameDiff graph, SDVariable x, SDVariable gain, SDVariable dy) {
    super(2, graph, x, gain, dy);
  }

  @Override
  public String opName() {
    return "ddpm_rms_norm_bp";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0), inputs.get(1));
  }

  @Override
  public boolean addsTo(int output) {
    return output == 1;
  }

  @Override
  public int inPlaceInput() {
    return 2;
  }
}
