package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Concatenation along the last axis, of maps or of vectors. Inputs: {@code [N,H,W,A]} and {@code
 * [N,H,W,B]}, or {@code [N,A]} and {@code [N,B]}. Output: {@code [N,H,W,A+B]} or {@code [N,A+B]}.
 */
public final class ConcatChannels extends FusedOp {

  /** For SameDiff. */
  public ConcatChannels() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param a {@code [N,H,W,A]} or {@code [N,A]}
   * @param b {@code [N,H,W,B]} or {@code [N,B]}
   * @param channelsOfA A
   */
  public ConcatChannels(SameDiff graph, SDVariable a, SDVariable b, int channelsOfA) {
    super(1, graph, a, b);
    addIArgument(channelsOfA);
  }

  @Override
  public String opName() {
    return "ddpm_concat_channels";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] y = inputs.get(0).clone();
    y[y.length - 1] += inputs.get(1)[y.length - 1];
    return List.of(y);
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new SplitChannels(sameDiff, gradients.get(0), setting(0)).outputVariables());
  }
}
