package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Halves height and width by taking means over squares of two by two positions. Input: {@code
 * [N,2H,2W,C]}. Output: {@code [N,H,W,C]}.
 */
public final class AveragePool extends FusedOp {

  /** For SameDiff. */
  public AveragePool() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,2H,2W,C]}
   */
  public AveragePool(SameDiff graph, SDVariable x) {
    super(1, graph, x);
  }

  @Override
  public String opName() {
    return "ddpm_average_pool";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] x = inputs.get(0);
    return List.of(new long[] {x[0], x[1] / 2, x[2] / 2, x[3]});
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(new AveragePoolGradient(sameDiff, gradients.get(0)).outputVariable());
  }
}
