package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/** The gradient of {@link ConcatChannels}: the first channels and the rest. */
public final class SplitChannels extends GradientOp {

  /** For SameDiff. */
  public SplitChannels() {
    super(2);
  }

  SplitChannels(SameDiff graph, SDVariable x, int firstChannels) {
    super(2, graph, x);
    addIArgument(firstChannels);
  }

  /**
   * The channels of the first output.
   *
   * @return the channels of the first output
   */
  public int firstChannels() {
    return setting(0);
  }

  @Override
  public String opName() {
    return "ddpm_split_channels";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    long[] x = inputs.get(0);
    return List.of(
        new long[] {x[0], x[1], x[2], setting(0)},
        new long[] {x[0], x[1], x[2], x[3] - setting(0)});
  }
}
