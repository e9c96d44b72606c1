package org.ddpm4j.kernels.ops;

/** A loss of one element, with its derivatives. */
public enum PointwiseLoss {
  /** {@code |e|} of the error {@code e = prediction - target}. */
  L1 {
    @Override
    double value(double prediction, double target) {
      return Math.abs(prediction - target);
    }

    @Override
    double predictionSlope(double prediction, double target) {
      return Math.signum(prediction - target);
    }
  },
  /** {@code e²}. */
  L2 {
    @Override
    double value(double prediction, double target) {
      return (prediction - target) * (prediction - target);
    }

    @Override
    double predictionSlope(double prediction, double target) {
      return 2 * (prediction - target);
    }
  },
  /** {@code e²/2} up to 1, then {@code |e| - 1/2}. */
  HUBER {
    @Override
    double value(double prediction, double target) {
      double magnitude = Math.abs(prediction - target);
      return magnitude <= 1 ? magnitude * magnitude / 2 : magnitude - 0.5;
    }

    @Override
    double predictionSlope(double prediction, double target) {
      return Math.max(-1, Math.min(1, prediction - target));
    }
  },
  /** {@code prediction·target}, a loss only for tests: its gradient is the target. */
  INNER_PRODUCT {
    @Override
    double value(double prediction, double target) {
      return prediction * target;
    }

    @Override
    double predictionSlope(double prediction, double target) {
      return target;
    }

    @Override
    double targetSlope(double prediction, double target) {
      return prediction;
    }
  };

  abstract double value(double prediction, double target);

  abstract double predictionSlope(double prediction, double target);

  double targetSlope(double prediction, double target) {
    return -predictionSlope(prediction, target);
  }
}
