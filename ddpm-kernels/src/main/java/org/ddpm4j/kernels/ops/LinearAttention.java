package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Attention at a cost linear in the number of positions (Shen et al. 2018). Input: queries, keys
 * and values side by side, {@code [N,H,W,3·heads·d]}. Output: {@code [N,H,W,heads·d]}.
 *
 * <p>One image at a time, so that what is in between stays in the cache.
 */
public final class LinearAttention extends FusedOp {

  /** For SameDiff. */
  public LinearAttention() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param qkv {@code [N,H,W,3·heads·d]}
   * @param heads number of heads
   */
  public LinearAttention(SameDiff graph, SDVariable qkv, int heads) {
    super(1, graph, qkv);
    addIArgument(heads);
  }

  private LinearAttention(int outputCount, int heads) {
    super(outputCount);
    addIArgument(heads);
  }

  /** {@return the number of heads} */
  public int heads() {
    return setting(0);
  }

  /**
   * The same operation that keeps both softmaxes for its gradient.
   *
   * @return one with a second output {@code [N,2,H·W,heads·d]}: of each image the queries' softmax
   *     and the keys'
   */
  public LinearAttention keepingSoftmaxes() {
    return new LinearAttention(2, heads());
  }

  @Override
  public String opName() {
    return "ddpm_linear_attention";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] qkv = inputs.get(0);
    long features = qkv[3] / 3;
    long[] y = {qkv[0], qkv[1], qkv[2], features};
    long[] softmaxes = {qkv[0], 2, qkv[1] * qkv[2], features};
    return List.of(y, softmaxes).subList(0, getNumOutputs());
  }

  @Override
  public double flops(List<long[]> inputs) {
    long[] qkv = inputs.get(0);
    return 4.0 * length(qkv) / 3 * qkv[3] / (3 * setting(0));
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(
        new LinearAttentionGradient(sameDiff, arg(0), gradients.get(0), setting(0))
            .outputVariable());
  }
}
