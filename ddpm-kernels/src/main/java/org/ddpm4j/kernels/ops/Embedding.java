package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Tensor;
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

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor labels = inputs.get(0);
    Tensor table = inputs.get(1);
    int width = table.size(1);
    return () -> {
      for (int n = 0; n < labels.length(); n++) {
        int row = (int) labels.buffer().get(n);
        outputs.get(0).buffer().put(n * width, table.buffer(), row * width, width);
      }
    };
  }

  /** Labels have none; they get zeros. */
  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new EmbeddingGradient(sameDiff, arg(0), arg(1), gradients.get(0)).outputVariables());
  }
}
