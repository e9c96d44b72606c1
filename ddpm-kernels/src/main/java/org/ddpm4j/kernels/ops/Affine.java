package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** {@code factor·x + summand} with two constants. Input: x of any shape. Output: the same shape. */
public final class Affine extends FusedOp {

  /** For SameDiff. */
  public Affine() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x any shape
   * @param factor of every element
   * @param summand added to every product
   */
  public Affine(SameDiff graph, SDVariable x, double factor, double summand) {
    super(1, graph, x);
    addTArgument(factor, summand);
  }

  /** {@return the factor} */
  public double factor() {
    return tArguments.get(0);
  }

  /** {@return the summand} */
  public double summand() {
    return tArguments.get(1);
  }

  @Override
  public String opName() {
    return "ddpm_affine";
  }

  @Override
  public int inPlaceInput() {
    return 0;
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(new Affine(sameDiff, gradients.get(0), tArguments.get(0), 0).outputVariable());
  }
}
