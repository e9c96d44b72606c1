package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link LinearAttention}. Inputs: qkv, gradient of the output, and the softmaxes
 * if {@linkplain LinearAttention#keepingSoftmaxes they were kept}; otherwise they are computed
 * again. Output: gradient of qkv.
 */
public final class LinearAttentionGradient extends GradientOp {

  /** For SameDiff. */
  public LinearAttentionGradient() {
    super(1);
  }

  LinearAttentionGradient(SameDiff graph, SDVariable qkv, SDVariable dy, int heads) {
    super(1, graph, qkv, dy);
    addIArgument(heads);
  }

  /** {@return the number of heads} */
  public int heads() {
    return setting(0);
  }

  @Override
  public String opName() {
    return "ddpm_linear_attention_bp";
  }

  @Override
  public double flops(List<long[]> inputs) {
    long[] qkv = inputs.get(0);
    return 10.0 * length(qkv) / 3 * qkv[3] / (3 * setting(0));
  }
}
