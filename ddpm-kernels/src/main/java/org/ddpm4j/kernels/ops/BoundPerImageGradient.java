package org.ddpm4j.kernels.ops;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link BoundPerImage}. Inputs: the network's answer, what it should say, images,
 * coefficients, gradient of the losses {@code [N]}. Output: gradient of the answer.
 */
public final class BoundPerImageGradient extends GradientOp {

  /** For SameDiff. */
  public BoundPerImageGradient() {
    super(1);
  }

  BoundPerImageGradient(
      SameDiff graph,
      SDVariable answer,
      SDVariable target,
      SDVariable x0,
      SDVariable coefficients,
      SDVariable gradient,
      BoundLoss loss) {
    super(1, graph, answer, target, x0, coefficients, gradient);
    BoundPerImage.addSettings(this, loss);
  }

  /** {@return the loss of the elements} */
  public BoundLoss loss() {
    return BoundPerImage.loss(this);
  }

  @Override
  public String opName() {
    return "ddpm_bound_per_image_bp";
  }
}
