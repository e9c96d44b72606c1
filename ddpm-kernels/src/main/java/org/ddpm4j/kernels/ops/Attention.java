package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Scaled dot-product attention between the positions of each image (Vaswani et al. 2017, eq. 1).
 * Inputs: queries, keys and values, {@code [N,H,W,heads·d]} each. Output: the same shape.
 */
public final class Attention extends FusedOp {

  /** For SameDiff. */
  public Attention() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param queries {@code [N,H,W,heads·d]}
   * @param keys {@code [N,H,W,heads·d]}
   * @param values {@code [N,H,W,heads·d]}
   * @param heads number of heads
   */
  public Attention(
      SameDiff graph, SDVariable queries, SDVariable keys, SDVariable values, int heads) {
    super(1, graph, queries, keys, values);
    addIArgument(heads);
  }

  /** {@return the number of heads} */
  public int heads() {
    return setting(0);
  }

  @Override
  public String opName() {
    return "ddpm_attention";
  }

  @Override
  public double flops(List<long[]> inputs) {
    long[] queries = inputs.get(0);
    return 4.0 * length(queries) * queries[1] * queries[2];
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new AttentionGradient(sameDiff, arg(0), arg(1), arg(2), gradients.get(0), setting(0))
            .outputVariables());
  }
}
