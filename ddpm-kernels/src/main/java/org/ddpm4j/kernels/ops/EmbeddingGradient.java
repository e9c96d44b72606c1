package org.ddpm4j.kernels.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link Embedding}. Inputs: labels, table, gradient of the output. Outputs:
 * gradients of the labels, which are zero, and of the table.
 */
public final class EmbeddingGradient extends ParameterGradientOp {

  /** For SameDiff. */
  public EmbeddingGradient() {
    super(2);
  }

  EmbeddingGradient(SameDiff graph, SDVariable labels, SDVariable table, SDVariable dy) {
    super(2, graph, labels, table, dy);
  }

  @Override
  public String opName() {
    return "ddpm_embedding_bp";
  }
}
