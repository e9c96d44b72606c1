package org.ddpm4j.kernels.ops;

/** A function of an element of a prediction and the same of a target, with its slopes. */
public sealed interface PointwiseLoss extends ImageLoss permits LossFunction, InnerProduct {

  /**
   * The function.
   *
   * @param prediction an element of the prediction
   * @param target the same element of the target
   * @return its value
   */
  double value(double prediction, double target);

  /**
   * The derivative with respect to the prediction.
   *
   * @param prediction an element of the prediction
   * @param target the same element of the target
   * @return the slope
   */
  double predictionSlope(double prediction, double target);

  /**
   * The derivative with respect to the target.
   *
   * @param prediction an element of the prediction
   * @param target the same element of the target
   * @return the slope
   */
  double targetSlope(double prediction, double target);

  /**
   * The number that stands for it in graphs and on devices.
   *
   * @return 0 to 2 for the loss functions in their order, 3 for the inner product
   */
  int code();

  /**
   * The function of a number.
   *
   * @param code 0 to 3
   * @return the function
   */
  static PointwiseLoss of(int code) {
    LossFunction[] losses = LossFunction.values();
    return code == losses.length ? InnerProduct.INSTANCE : losses[code];
  }
}
