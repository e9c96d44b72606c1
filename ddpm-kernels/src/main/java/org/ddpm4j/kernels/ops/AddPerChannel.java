package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Adds one number per image and channel at every position. Inputs: x {@code [N,H,W,C]}, v {@code
 * [N,C]}. Output: {@code [N,H,W,C]}.
 */
public final class AddPerChannel extends FusedOp {

  /** For SameDiff. */
  public AddPerChannel() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,C]}
   * @param v {@code [N,C]}
   */
  public AddPerChannel(SameDiff graph, SDVariable x, SDVariable v) {
    super(1, graph, x, v);
  }

  @Override
  public String opName() {
    return "ddpm_add_per_channel";
  }

  @Override
  public int inPlaceInput() {
    return 0;
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(
        gradients.get(0), new SumPerChannel(sameDiff, gradients.get(0)).outputVariable());
  }
}
