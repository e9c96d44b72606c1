package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Puts learned positions before those of each image, for attention to look at (Sukhbaatar et al.
 * 2019): their last channels are the memory, keys and values for instance, and what is before
 * these, the queries, is zero. Inputs: x {@code [N,H,W,C]}, memory {@code [M,…]} of at most C
 * numbers a row. Output: {@code [N,1,M+H·W,C]}.
 */
public final class PrependMemory extends FusedOp {

  /** For SameDiff. */
  public PrependMemory() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,C]}
   * @param memory {@code [M,…]}
   * @param height H
   * @param width W
   */
  public PrependMemory(SameDiff graph, SDVariable x, SDVariable memory, int height, int width) {
    super(1, graph, x, memory);
    addIArgument(height, width);
  }

  @Override
  public String opName() {
    return "ddpm_prepend_memory";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] x = inputs.get(0);
    return List.of(new long[] {x[0], 1, inputs.get(1)[0] + x[1] * x[2], x[3]});
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new PrependMemoryGradient(sameDiff, arg(1), gradients.get(0), setting(0), setting(1))
            .outputVariables());
  }
}
