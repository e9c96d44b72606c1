package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Group normalisation (Wu and He 2018) followed by a function. Inputs: x {@code [N,H,W,C]}, scale
 * and shift {@code [C]}. Output: {@code [N,H,W,C]}.
 *
 * <p>In plans it may have three more inputs, in this order: a vector {@code [N,C]}, which is added
 * to x before, a number per image and channel {@code [N,C]}, which is added to the result, and a
 * residual {@code [N,H,W,C]}, which is added to it, too.
 */
public final class GroupNorm extends FusedOp implements AddsResidual {

  /** The settings that say which of the further inputs there are. */
  private static final int VECTOR = 2;

  private static final int PER_CHANNEL = 3;
  private static final int RESIDUAL = 4;

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
    addIArgument(groups, function.ordinal(), 0, 0, 0);
    addTArgument(epsilon);
  }

  private GroupNorm(GroupNorm other, int further) {
    super(1);
    for (int i = 0; i <= RESIDUAL; i++) {
      addIArgument(i == further ? 1 : other.setting(i));
    }
    addTArgument(other.epsilon());
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

  /** {@return whether a vector is added to x before} */
  public boolean addsVector() {
    return setting(VECTOR) == 1;
  }

  /** {@return whether a number per image and channel is added to the result} */
  public boolean addsPerChannel() {
    return setting(PER_CHANNEL) == 1;
  }

  @Override
  public boolean addsResidual() {
    return setting(RESIDUAL) == 1;
  }

  /**
   * The same normalisation with one more input {@code [N,C]}, which is added to x before.
   *
   * @return a node of no graph, for plans
   */
  public GroupNorm withVector() {
    return new GroupNorm(this, VECTOR);
  }

  /**
   * The same normalisation with one more input {@code [N,C]}, which is added to its result.
   *
   * @return a node of no graph, for plans
   */
  public GroupNorm withPerChannel() {
    return new GroupNorm(this, PER_CHANNEL);
  }

  @Override
  public GroupNorm withResidual() {
    return new GroupNorm(this, RESIDUAL);
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
