package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** Sums over all positions. Input: {@code [N,H,W,C]}. Output: {@code [N,C]}. */
public final class SumPerChannel extends GradientOp {

  /** For SameDiff. */
  public SumPerChannel() {
    super(1);
  }

  SumPerChannel(SameDiff graph, SDVariable x) {
    super(1, graph, x);
  }

  @Override
  public String opName() {
    return "ddpm_sum_per_channel";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] x = inputs.get(0);
    return List.of(new long[] {x[0], x[3]});
  }
}
