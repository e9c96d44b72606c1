package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link Embedding}. Inputs: labels, table, gradient of the output. Outputs:
 * gradients of the labels, which are zero, and of the table.
 */
public final class EmbeddingGradient extends GradientOp {

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

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0), inputs.get(1));
  }

  @Override
  public boolean addsTo(int output) {
    return output == 1;
  }
}
