package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Divides every image by a number of its own. Inputs: x {@code [N,H,W,C]}, divisors {@code [N]},
 * which have no gradient. Output: {@code x/divisor}, {@code [N,H,W,C]}.
 */
public final class DividePerImage extends FusedOp {

  /** For SameDiff. */
  public DividePerImage() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param x {@code [N,H,W,C]}
   * @param divisors {@code [N]}
   */
  public DividePerImage(SameDiff graph, SDVariable x, SDVariable divisors) {
    super(1, graph, x, divisors);
  }

  @Override
  public String opName() {
    return "ddpm_divide_per_image";
  }

  @Override
  public int inPlaceInput() {
    return 0;
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new DividePerImage(sameDiff, gradients.get(0), arg(1)).outputVariable(),
        new Affine(sameDiff, arg(1), 0, 0).outputVariable());
  }
}
