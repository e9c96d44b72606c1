package org.ddpm4j.kernels.ops;

/**
 * {@code prediction·target}: no loss to train with. Its gradient is the target, by which a graph
 * that ends in it gives the vector-Jacobian product.
 */
public enum InnerProduct implements PointwiseLoss {
  /** The only one. */
  INSTANCE;

  @Override
  public double value(double prediction, double target) {
    return prediction * target;
  }

  @Override
  public double predictionSlope(double prediction, double target) {
    return target;
  }

  @Override
  public double targetSlope(double prediction, double target) {
    return prediction;
  }

  @Override
  public int code() {
    return LossFunction.values().length;
  }
}
