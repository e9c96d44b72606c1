package org.ddpm4j.kernels.ops;

import java.util.Arrays;
import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The mean over the elements of each image of their losses. Inputs: prediction and target {@code
 * [N,...]}. Output: {@code [N]}.
 */
public final class LossPerImage extends FusedOp {

  /** For SameDiff. */
  public LossPerImage() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param prediction {@code [N,...]}
   * @param target the same shape
   * @param loss of one element
   */
  public LossPerImage(
      SameDiff graph, SDVariable prediction, SDVariable target, PointwiseLoss loss) {
    super(1, graph, prediction, target);
    addIArgument(loss.code());
  }

  /** {@return the loss of one element} */
  public PointwiseLoss loss() {
    return PointwiseLoss.of(setting(0));
  }

  @Override
  public String opName() {
    return "ddpm_loss_per_image";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(new long[] {inputs.get(0)[0]});
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    return Arrays.asList(
        new LossPerImageGradient(sameDiff, arg(0), arg(1), gradients.get(0), loss())
            .outputVariables());
  }
}
