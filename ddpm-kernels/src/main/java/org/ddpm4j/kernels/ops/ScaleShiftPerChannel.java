package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * {@code x·(1 + scale) + shift} with one scale and one shift per image and channel (the "scale
 * shift" of Dhariwal and Nichol 2021). Inputs: x {@code [N,H,W,C]}, the scales and behind them the
 * shifts {@code [N,2C]}. Output: {@code [N,H,W,C]}.
 */
public final class ScaleShiftPerChannel extends FusedOp {

  /** For SameDiff. */
  public ScaleShiftPerChannel() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,C]}
   * @param scalesAndShifts {@code [N,2C]}, the scales first
   */
  public ScaleShiftPerChannel(SameDiff graph, SDVariable x, SDVariable scalesAndShifts) {
    super(1, graph, x, scalesAndShifts);
  }

  @Override
  public String opName() {
    return "ddpm_scale_shift_per_channel";
  }

  @Override
  public int inPlaceInput() {
    return 0;
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new ScaleShiftPerChannelGradient(sameDiff, arg(0), arg(1), gradients.get(0))
            .outputVariables());
  }
}
