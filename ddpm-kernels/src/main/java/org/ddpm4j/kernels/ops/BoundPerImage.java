package org.ddpm4j.kernels.ops;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The loss of each image by the {@linkplain BoundLoss variational bound}: the mean over its
 * elements of {@code boundFactor·nats + errorFactor·error}. Inputs: what the network says {@code
 * [N,H,W,C]}, or {@code [N,H,W,2C]} with the variance v behind the prediction; what it should say
 * {@code [N,C,H,W]}; the images x0 {@code [N,C,H,W]}; the {@linkplain BoundLoss.Coefficients
 * coefficients} {@code [N,6]}. Only the first has a gradient. Output: {@code [N]}.
 *
 * <p>What the network should say and the images keep the layout of the outside, in which they are
 * floats everywhere.
 */
public final class BoundPerImage extends FusedOp {

  /** For SameDiff. */
  public BoundPerImage() {
    super(1);
  }

  /**
   * Adds the operation to a graph.
   *
   * @param graph where it goes
   * @param answer {@code [N,H,W,C]} or {@code [N,H,W,2C]}
   * @param target {@code [N,C,H,W]}
   * @param x0 {@code [N,C,H,W]}
   * @param coefficients {@code [N,6]}
   * @param loss of the elements
   */
  public BoundPerImage(
      SameDiff graph,
      SDVariable answer,
      SDVariable target,
      SDVariable x0,
      SDVariable coefficients,
      BoundLoss loss) {
    super(1, graph, answer, target, x0, coefficients);
    addSettings(this, loss);
  }

  /** The simple error, -1 for none, and three numbers for each channel's pixels. */
  static void addSettings(FusedOp op, BoundLoss loss) {
    op.addIArgument(loss.simple().map(LossFunction::code).orElse(-1));
    for (BoundLoss.Pixels pixels : loss.pixels()) {
      op.addTArgument(pixels.lower(), pixels.step(), pixels.last());
    }
  }

  static BoundLoss loss(FusedOp op) {
    int code = op.setting(0);
    List<BoundLoss.Pixels> pixels = new ArrayList<>();
    double[] numbers = op.tArgs();
    for (int i = 0; i < numbers.length; i += 3) {
      pixels.add(new BoundLoss.Pixels(numbers[i], numbers[i + 1], (int) numbers[i + 2]));
    }
    return new BoundLoss(
        code < 0 ? Optional.empty() : Optional.of(LossFunction.values()[code]), pixels);
  }

  /** {@return the loss of the elements} */
  public BoundLoss loss() {
    return loss(this);
  }

  @Override
  public String opName() {
    return "ddpm_bound_per_image";
  }

  @Override
  public List<long[]> outputShapes(List<long[]> inputs) {
    return List.of(new long[] {inputs.get(0)[0]});
  }

  /** The network's answer alone has one; the others get zeros. */
  @Override
  public List<SDVariable> doDiff(List<SDVariable> gradients) {
    List<SDVariable> all = new ArrayList<>();
    all.add(
        new BoundPerImageGradient(
                sameDiff, arg(0), arg(1), arg(2), arg(3), gradients.get(0), loss())
            .outputVariable());
    for (int i = 1; i < 4; i++) {
      all.add(new Affine(sameDiff, arg(i), 0, 0).outputVariable());
    }
    return all;
  }
}
