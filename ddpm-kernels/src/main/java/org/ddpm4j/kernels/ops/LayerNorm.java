package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Layer normalisation (Ba et al. 2016) of the channels of every position, without scale and shift.
 * Input: {@code [N,H,W,C]}. Output: {@code [N,H,W,C]}.
 */
public final class LayerNorm extends FusedOp {

  /** For SameDiff. */
  public LayerNorm() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,C]}
   * @param epsilon added to the variance
   */
  public LayerNorm(SameDiff graph, SDVariable x, double epsilon) {
    super(1, graph, x);
    addTArgument(epsilon);
  }

  /** {@return what is added to the variance} */
  public double epsilon() {
    return tArguments.get(0);
  }

  @Override
  public String opName() {
    return "ddpm_layer_norm";
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(
        new LayerNormGradient(sameDiff, arg(0), gradients.get(0), epsilon()).outputVariable());
  }
}
