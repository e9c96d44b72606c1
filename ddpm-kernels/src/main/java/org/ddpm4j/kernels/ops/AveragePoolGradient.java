package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link AveragePool}: a quarter for each of four positions. Input: {@code
 * [N,H,W,C]}. Output: {@code [N,2H,2W,C]}.
 */
public final class AveragePoolGradient extends GradientOp {

  /** For SameDiff. */
  public AveragePoolGradient() {
    super(1);
  }

  AveragePoolGradient(SameDiff graph, SDVariable dy) {
    super(1, graph, dy);
  }

  @Override
  public String opName() {
    return "ddpm_average_pool_bp";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] y = inputs.get(0);
    return List.of(new long[] {y[0], 2 * y[1], 2 * y[2], y[3]});
  }
}
