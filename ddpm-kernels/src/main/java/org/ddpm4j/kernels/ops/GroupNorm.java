package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Group normalisation (Wu and He 2018) followed by a function. Inputs: x {@code [N,H,W,C]}, scale
 * and shift {@code [C]}. Output: {@code [N,H,W,C]}.
 */
public final class GroupNorm extends FusedOp {

  /** For SameDiff. */
  public GroupNorm() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,C]}
   * @param scale {@code [C]}
   * @param shift {@code [C]}
   * @param groups number of groups, a divisor of C
   * @param epsilon added to the variance
   * @param function applied last
   */
  public GroupNorm(
      SameDiff graph,
      SDVariable x,
      SDVariable scale,
      SDVariable shift,
      int groups,
      double epsilon,
      Activation function) {
    super(1, graph, x, scale, shift);
    addIArgument(groups, function.ordinal());
    addTArgument(epsilon);
  }

  /** {@return the number of groups} */
  public int groups() {
    return setting(0);
  }

  /** {@return what is added to the variance} */
  public double epsilon() {
    return tArguments.get(0);
  }

  /** {@return what is done to the result} */
  public Activation function() {
    return Activation.values()[setting(1)];
  }

  @Override
  public String opName() {
    return "ddpm_group_norm";
  }

  @Override
  public int inPlaceInput() {
    return 0;
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new GroupNormGradient(
                sameDiff,
                arg(0),
                arg(1),
                arg(2),
                gradients.get(0),
                setting(0),
                tArguments.get(0),
                Activation.values()[setting(1)])
            .outputVariables());
  }
}
