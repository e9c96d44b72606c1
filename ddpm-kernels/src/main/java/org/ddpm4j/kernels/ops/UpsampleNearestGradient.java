package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link UpsampleNearest}: sums over squares of four positions. Input: {@code
 * [N,2H,2W,C]}. Output: {@code [N,H,W,C]}.
 */
public final class UpsampleNearestGradient extends GradientOp {

  /** For SameDiff. */
  public UpsampleNearestGradient() {
    super(1);
  }

  UpsampleNearestGradient(SameDiff graph, SDVariable dy) {
    super(1, graph, dy);
  }

  @Override
  public String opName() {
    return "ddpm_upsample_nearest_bp";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] y = inputs.get(0);
    return List.of(new long[] {y[0], y[1] / 2, y[2] / 2, y[3]});
  }
}
