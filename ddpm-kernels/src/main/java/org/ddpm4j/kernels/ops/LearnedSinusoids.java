package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * A time with sines and cosines of it, whose frequencies may be learned (Tancik et al. 2020).
 * Inputs: t {@code [N]} and frequencies {@code [C]}. Output: {@code [t, sin(2π f t), cos(2π f t)]},
 * {@code [N,1+2C]}.
 */
public final class LearnedSinusoids extends FusedOp {

  /** For SameDiff. */
  public LearnedSinusoids() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param t times {@code [N]}
   * @param frequencies {@code [C]}
   */
  public LearnedSinusoids(SameDiff graph, SDVariable t, SDVariable frequencies) {
    super(1, graph, t, frequencies);
  }

  @Override
  public String opName() {
    return "ddpm_learned_sinusoids";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(new long[] {inputs.get(0)[0], 1 + 2 * inputs.get(1)[0]});
  }

  /** Times have none; they get zeros. */
  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new LearnedSinusoidsGradient(sameDiff, arg(0), arg(1), gradients.get(0)).outputVariables());
  }
}
