package org.ddpm4j.kernels.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link LossPerImage}. Inputs: prediction, target, gradient of the losses {@code
 * [N]}. Outputs: gradients of prediction and target.
 */
public final class LossPerImageGradient extends GradientOp {

  /** For SameDiff. */
  public LossPerImageGradient() {
    super(2);
  }

  LossPerImageGradient(
      SameDiff graph,
      SDVariable prediction,
      SDVariable target,
      SDVariable gradient,
      PointwiseLoss loss) {
    super(2, graph, prediction, target, gradient);
    addIArgument(loss.code());
  }

  /** {@return the loss of one element} */
  public PointwiseLoss loss() {
    return PointwiseLoss.of(setting(0));
  }

  @Override
  public String opName() {
    return "ddpm_loss_per_image_bp";
  }
}
