package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Root mean square normalisation over the channels of each position (Zhang and Sennrich 2019):
 * {@code x·gain·√C / max(‖x‖, 1e-12)}. Inputs: x {@code [N,H,W,C]}, gain {@code [C]}. Output:
 * {@code [N,H,W,C]}.
 */
public final class RmsNorm extends FusedOp {

  /** The least length that is divided by: PyTorch's of {@code normalize}. */
  public static final double LEAST_NORM = 1e-12;

  /** For SameDiff. */
  public RmsNorm() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,C]}
   * @param gain {@code [C]}
   */
  public RmsNorm(SameDiff graph, SDVariable x, SDVariable gain) {
    super(1, graph, x, gain);
  }

  @Override
  public String opName() {
    return "ddpm_rms_norm";
  }

  @Override
  public int inPlaceInput() {
    return 0;
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new RmsNormGradient(sameDiff, arg(0), arg(1), gradients.get(0)).outputVariables());
  }
}
