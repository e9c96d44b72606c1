package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Adds one table to every image. Inputs: x {@code [N,H,W,C]} and a table {@code [1,H,W,C]}, which
 * is not trained. Output: {@code [N,H,W,C]}.
 */
public final class AddPositions extends FusedOp {

  /** For SameDiff. */
  public AddPositions() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,C]}
   * @param table {@code [1,H,W,C]}
   */
  public AddPositions(SameDiff graph, SDVariable x, SDVariable table) {
    super(1, graph, x, table);
  }

  @Override
  public String opName() {
    return "ddpm_add_positions";
  }

  @Override
  public int inPlaceInput() {
    return 0;
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(gradients.get(0), new Affine(sameDiff, arg(1), 0, 0).outputVariable());
  }
}
