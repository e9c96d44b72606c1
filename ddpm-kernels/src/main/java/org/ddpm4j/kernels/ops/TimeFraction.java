package org.ddpm4j.kernels.ops;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Timesteps as parts of their number, one row each. Input: t {@code [N]}. Output: {@code
 * t/timesteps}, {@code [N,1]}.
 */
public final class TimeFraction extends FusedOp {

  /** For SameDiff. */
  public TimeFraction() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param t timesteps {@code [N]}
   * @param timesteps how many there are
   */
  public TimeFraction(SameDiff graph, SDVariable t, int timesteps) {
    super(1, graph, t);
    addIArgument(timesteps);
  }

  /** {@return the number of timesteps} */
  public int timesteps() {
    return setting(0);
  }

  @Override
  public String opName() {
    return "ddpm_time_fraction";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(new long[] {inputs.get(0)[0], 1});
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Timesteps have no gradient.");
  }
}
