package org.ddpm4j.kernels.ops;

import java.util.List;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link Embedding}. Inputs: labels, table, gradient of the output. Outputs:
 * gradients of the labels, which are zero, and of the table.
 */
public final class EmbeddingGradient extends FusedOp {

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

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor labels = inputs.get(0);
    Tensor dy = inputs.get(2);
    int width = dy.size(1);
    return () -> {
      for (int n = 0; n < labels.length(); n++) {
        if (outputs.get(0) != null) {
          outputs.get(0).buffer().put(n, 0);
        }
        if (outputs.get(1) != null) {
          int row = (int) labels.buffer().get(n) * width;
          addTo(outputs.get(1), row, dy, n * width, width);
        }
      }
    };
  }

  private static void addTo(Tensor sum, int to, Tensor summand, int from, int length) {
    for (int i = 0; i < length; i++) {
      sum.buffer().put(to + i, sum.buffer().get(to + i) + summand.buffer().get(from + i));
    }
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Second derivatives are not supported.");
  }
}
