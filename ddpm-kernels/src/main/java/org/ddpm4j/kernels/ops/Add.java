package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** Sum of two arrays of one shape. */
public final class Add extends Pairwise {

  /** For SameDiff. */
  public Add() {}

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param a any shape
   * @param b the same shape
   */
  public Add(SameDiff graph, SDVariable a, SDVariable b) {
    super(graph, a, b);
  }

  @Override
  public String opName() {
    return "ddpm_add";
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(gradients.get(0), gradients.get(0));
  }
}
