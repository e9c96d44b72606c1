package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Fully connected layer. Inputs: x {@code [N,in]}, weights {@code [in,out]}, bias {@code [out]}.
 * Output: {@code [N,out]}.
 */
public final class Linear extends FusedOp {

  /** For SameDiff. */
  public Linear() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,in]}
   * @param weights {@code [in,out]}
   * @param bias {@code [out]}
   */
  public Linear(SameDiff graph, SDVariable x, SDVariable weights, SDVariable bias) {
    super(1, graph, x, weights, bias);
  }

  @Override
  public String opName() {
    return "ddpm_linear";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(new long[] {inputs.get(0)[0], inputs.get(1)[1]});
  }

  @Override
  public double flops(List<long[]> inputs) {
    return 2.0 * inputs.get(0)[0] * length(inputs.get(1));
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new LinearGradient(sameDiff, arg(0), arg(1), gradients.get(0)).outputVariables());
  }
}
