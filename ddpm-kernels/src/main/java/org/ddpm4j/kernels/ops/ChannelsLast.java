package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** From {@code [N,C,H,W]} to {@code [N,H,W,C]}. */
public final class ChannelsLast extends FusedOp {

  /** For SameDiff. */
  public ChannelsLast() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x images
   */
  public ChannelsLast(SameDiff graph, SDVariable x) {
    super(1, graph, x);
  }

  @Override
  public String opName() {
    return "ddpm_channels_last";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] x = inputs.get(0);
    return List.of(new long[] {x[0], x[2], x[3], x[1]});
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(new ChannelsFirst(sameDiff, gradients.get(0)).outputVariable());
  }
}
