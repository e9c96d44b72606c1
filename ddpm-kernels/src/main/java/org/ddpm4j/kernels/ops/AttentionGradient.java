package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link Attention}. Inputs: queries, keys, values, gradient of the output.
 * Outputs: gradients of queries, keys and values.
 */
public final class AttentionGradient extends GradientOp {

  /** For SameDiff. */
  public AttentionGradient() {
    super(3);
  }

  AttentionGradient(
      SameDiff graph,
      SDVariable queries,
      SDVariable keys,
      SDVariable values,
      SDVariable dy,
      int heads) {
    super(3, graph, queries, keys, values, dy);
    addIArgument(heads);
  }

  /** {@return the number of heads} */
  public int heads() {
    return setting(0);
  }

  @Override
  public String opName() {
    return "ddpm_attention_bp";
  }

  @Override
  public double flops(List<long[]> inputs) {
    long[] queries = inputs.get(0);
    return 10.0 * length(queries) * queries[1] * queries[2];
  }
}
