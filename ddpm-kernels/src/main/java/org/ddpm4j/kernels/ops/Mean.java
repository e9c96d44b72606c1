package org.ddpm4j.kernels.ops;

import java.util.List;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** The mean of all elements. Input: any shape. Output: a scalar. */
public final class Mean extends FusedOp {

  /** For SameDiff. */
  public Mean() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x any shape
   */
  public Mean(SameDiff graph, SDVariable x) {
    super(1, graph, x);
  }

  @Override
  public String opName() {
    return "ddpm_mean";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(new long[0]);
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    Tensor x = inputs.get(0);
    return () -> {
      double sum = 0;
      for (int i = 0; i < x.length(); i++) {
        sum += x.buffer().get(i);
      }
      outputs.get(0).buffer().put(0, (float) (sum / x.length()));
    };
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(new MeanGradient(sameDiff, arg(0), gradients.get(0)).outputVariable());
  }
}
