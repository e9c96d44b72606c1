package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Doubles height and width by repeating every position. Input: {@code [N,H,W,C]}. Output: {@code
 * [N,2H,2W,C]}.
 */
public final class UpsampleNearest extends FusedOp {

  /** For SameDiff. */
  public UpsampleNearest() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,C]}
   */
  public UpsampleNearest(SameDiff graph, SDVariable x) {
    super(1, graph, x);
  }

  @Override
  public String opName() {
    return "ddpm_upsample_nearest";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] x = inputs.get(0);
    return List.of(new long[] {x[0], 2 * x[1], 2 * x[2], x[3]});
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(new UpsampleNearestGradient(sameDiff, gradients.get(0)).outputVariable());
  }
}
