package org.ddpm4j.kernels.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link ScaleShiftPerChannel}. Inputs: x, scales and shifts, gradient of the
 * output. Outputs: gradients of x and of scales and shifts.
 */
public final class ScaleShiftPerChannelGradient extends GradientOp {

  /** For SameDiff. */
  public ScaleShiftPerChannelGradient() {
    super(2);
  }

  ScaleShiftPerChannelGradient(
      SameDiff graph, SDVariable x, SDVariable scalesAndShifts, SDVariable dy) {
    super(2, graph, x, scalesAndShifts, dy);
  }

  @Override
  public String opName() {
    return "ddpm_scale_shift_per_channel_bp";
  }
}
