package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The first channels and the rest: the gradient of {@link ConcatChannels}, which is its own. Input:
 * {@code [N,H,W,C]} or {@code [N,C]}. Outputs: of the same rank.
 */
public final class SplitChannels extends FusedOp {

  /** For SameDiff. */
  public SplitChannels() {
    super(2);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,C]} or {@code [N,C]}
   * @param firstChannels of the first output, less than C
   */
  public SplitChannels(SameDiff graph, SDVariable x, int firstChannels) {
    super(2, graph, x);
    addIArgument(firstChannels);
  }

  /** {@return the channels of the first output} */
  public int firstChannels() {
    return setting(0);
  }

  @Override
  public String opName() {
    return "ddpm_split_channels";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] first = inputs.get(0).clone();
    long[] rest = first.clone();
    first[first.length - 1] = setting(0);
    rest[rest.length - 1] -= setting(0);
    return List.of(first, rest);
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return List.of(
        new ConcatChannels(sameDiff, gradients.get(0), gradients.get(1), setting(0))
            .outputVariable());
  }
}
