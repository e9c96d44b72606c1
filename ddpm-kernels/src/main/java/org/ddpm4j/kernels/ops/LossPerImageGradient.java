package org.ddpm4j.kernels.ops;

import java.util.List;
import org.ddpm4j.kernels.FusedOp;
import org.ddpm4j.kernels.Kernel;
import org.ddpm4j.kernels.KernelContext;
import org.ddpm4j.kernels.Tensor;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The gradient of {@link LossPerImage}. Inputs: prediction, target, gradient of the losses {@code
 * [N]}. Outputs: gradients of prediction and target.
 */
public final class LossPerImageGradient extends FusedOp {

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
    addIArgument(loss.ordinal());
  }

  @Override
  public String opName() {
    return "ddpm_loss_per_image_bp";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(inputs.get(0), inputs.get(1));
  }

  @Override
  public Kernel kernel(KernelContext context, List<Tensor> inputs, List<Tensor> outputs) {
    PointwiseLoss loss = PointwiseLoss.values()[setting(0)];
    Tensor predictions = inputs.get(0);
    Tensor targets = inputs.get(1);
    int elements = predictions.length() / predictions.size(0);
    return () -> {
      for (int i = 0; i < predictions.length(); i++) {
        double factor = inputs.get(2).buffer().get(i / elements) / elements;
        double prediction = predictions.buffer().get(i);
        double target = targets.buffer().get(i);
        if (outputs.get(0) != null) {
          double slope = loss.predictionSlope(prediction, target);
          outputs.get(0).buffer().put(i, (float) (factor * slope));
        }
        if (outputs.get(1) != null) {
          double slope = loss.targetSlope(prediction, target);
          outputs.get(1).buffer().put(i, (float) (factor * slope));
        }
      }
    };
  }

  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    throw new UnsupportedOperationException("Second derivatives are not supported.");
  }
}
