package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Takes away the first positions, which {@link PrependMemory} has put there. Input: {@code
 * [N,1,M+H·W,C]}. Output: {@code [N,H,W,C]}.
 */
public final class DropMemory extends FusedOp {

  /** For SameDiff. */
  public DropMemory() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,1,M+H·W,C]}
   * @param height H
   * @param width W
   */
  public DropMemory(SameDiff graph, SDVariable x, int height, int width) {
    super(1, graph, x);
    addIArgument(height, width);
  }

  @Override
  public String opName() {
    return "ddpm_drop_memory";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] x = inputs.get(0);
    return List.of(new long[] {x[0], setting(0), setting(1), x[3]});
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(new DropMemoryGradient(sameDiff, arg(0), gradients.get(0)).outputVariable());
  }
}
