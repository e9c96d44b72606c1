package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * {@link Attention} of queries, keys and values that lie side by side in one map. Input: {@code
 * [N,H,W,3·heads·d]}. Output: {@code [N,H,W,heads·d]}.
 */
public final class PackedAttention extends FusedOp {

  /** For SameDiff. */
  public PackedAttention() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param qkv {@code [N,H,W,3·heads·d]}
   * @param heads number of heads
   */
  public PackedAttention(SameDiff graph, SDVariable qkv, int heads) {
    super(1, graph, qkv);
    addIArgument(heads);
  }

  /** {@return the number of heads} */
  public int heads() {
    return setting(0);
  }

  @Override
  public String opName() {
    return "ddpm_packed_attention";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] qkv = inputs.get(0);
    return List.of(new long[] {qkv[0], qkv[1], qkv[2], qkv[3] / 3});
  }

  @Override
  public double flops(List<long[]> inputs) {
    long[] qkv = inputs.get(0);
    return 4.0 * length(qkv) / 3 * qkv[1] * qkv[2];
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(
        new PackedAttentionGradient(sameDiff, arg(0), gradients.get(0), setting(0))
            .outputVariable());
  }
}
