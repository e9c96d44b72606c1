package org.ddpm4j.kernels.ops;

/** A loss of one element, with its derivatives. */
public enum PointwiseLoss {
  /** {@code |e|} of the error {@code e = prediction - target}. */
  L1 {
    @Override
    public double value(double prediction, double target) {
      return Math.abs(prediction - target);
    }

    @Override
    public double predictionSlope(double prediction, double target) {
      return Math.signum(prediction - target);
    }
  },
  /** {@code e²}. */
  L2 {
    @Override
    public double value(double prediction, double target) {
      return (prediction - target) * (prediction - target);
    }

    @Override
    public double predictionSlope(double prediction, double target) {
      return 2 * (prediction - target);
    }
  },
  /** {@code e²/2} up to 1, then {@code |e| - 1/2}. */
  HUBER {
    @Override
    public double value(double prediction, double target) {
      double magnitude = Math.abs(prediction - target);
      return magnitude <= 1 ? magnitude * magnitude / 2 : magnitude - 0.5;
    }

    @Override
    public double predictionSlope(double prediction, double target) {
      return Math.max(-1, Math.min(1, prediction - target));
    }
  },
  /** {@code prediction·target}, a loss only for tests: its gradient is the target. */
  INNER_PRODUCT {
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
  };

  /**
   * The loss.
   *
   * @param prediction an element of what was said
   * @param target an element of what should be said
   * @return what it costs
   */
  public abstract double value(double prediction, double target);

  /**
   * The derivative with respect to the prediction.
   *
   * @param prediction an element of what was said
   * @param target an element of what should be said
   * @return the slope
   */
  public abstract double predictionSlope(double prediction, double target);

  /**
   * The derivative with respect to the target.
   *
   * @param prediction an element of what was said
   * @param target an element of what should be said
   * @return the slope
   */
  public double targetSlope(double prediction, double target) {
    return -predictionSlope(prediction, target);
  }
}
