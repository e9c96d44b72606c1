package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** A function of one element. Input: x of any shape. Output: the same shape. */
public final class Eltwise extends FusedOp {

  /** For SameDiff. */
  public Eltwise() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x any shape
   * @param function what is applied
   */
  public Eltwise(SameDiff graph, SDVariable x, Activation function) {
    super(1, graph, x);
    addIArgument(function.ordinal());
  }

  /** {@return the function} */
  public Activation function() {
    return Activation.values()[setting(0)];
  }

  @Override
  public String opName() {
    return "ddpm_eltwise";
  }

  @Override
  public int inPlaceInput() {
    return 0;
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(
        new EltwiseGradient(sameDiff, arg(0), gradients.get(0), Activation.values()[setting(0)])
            .outputVariable());
  }
}
