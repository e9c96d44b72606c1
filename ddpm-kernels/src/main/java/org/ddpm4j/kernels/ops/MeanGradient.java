package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** The gradient of {@link Mean}. Inputs: x, gradient of the mean. Output: gradient of x. */
public final class MeanGradient extends FusedOp {

  /** For SameDiff. */
  public MeanGradient() {
    super(1);
  }

  MeanGradient(SameDiff graph, SDVariable x, SDVariable gradient) {
    super(1, graph, x, gradient);
  }

  @Override
  public String opName() {
    return "ddpm_mean_bp";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0));
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Second derivatives are not supported.");
  }
}
