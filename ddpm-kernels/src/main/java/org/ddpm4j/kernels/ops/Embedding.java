package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Looks up rows of a table. Inputs: labels {@code [N]}, whole numbers from 0 to count-1; table
 * {@code [count,width]}. Output: {@code [N,width]}.
 */
public final class Embedding extends FusedOp {

  /** For SameDiff. */
  public Embedding() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param labels {@code [N]}, whole numbers from 0 to count-1
   * @param table {@code [count,width]}
   */
  public Embedding(SameDiff graph, SDVariable labels, SDVariable table) {
    super(1, graph, labels, table);
  }

  @Override
  public String opName() {
    return "ddpm_embedding";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(new long[] {inputs.get(0)[0], inputs.get(1)[1]});
  }

  /** Labels have none; they get zeros. */
  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new EmbeddingGradient(sameDiff, arg(0), arg(1), gradients.get(0)).outputVariables());
  }
}
