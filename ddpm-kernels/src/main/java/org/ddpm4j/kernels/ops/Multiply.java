package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** Product of two arrays of one shape, element by element. */
public final class Multiply extends Pairwise {

  /** For SameDiff. */
  public Multiply() {}

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param a any shape
   * @param b the same shape
   */
  public Multiply(SameDiff graph, SDVariable a, SDVariable b) {
    super(graph, a, b);
  }

  @Override
  public String opName() {
    return "ddpm_multiply";
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    SDVariable dy = gradients.get(0);
    return List.of(
        new Multiply(sameDiff, dy, arg(1)).outputVariable(),
        new Multiply(sameDiff, dy, arg(0)).outputVariable());
  }
}
