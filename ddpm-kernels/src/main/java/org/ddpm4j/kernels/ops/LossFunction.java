package org.ddpm4j.kernels.ops;

import java.util.Locale;

/** The loss of an error {@code d = prediction - target} of one element. */
public enum LossFunction implements PointwiseLoss {
  /** {@code |d|}. */
  L1 {
    @Override
    double value(double d) {
      return Math.abs(d);
    }

    @Override
    double slope(double d) {
      return Math.signum(d);
    }
  },
  /** {@code d²}, the simple loss of Ho et al. 2020, eq. 14. */
  L2 {
    @Override
    double value(double d) {
      return d * d;
    }

    @Override
    double slope(double d) {
      return 2 * d;
    }
  },
  /** Smooth L1 with threshold one: {@code d²/2} where {@code |d| < 1}, else {@code |d| - 1/2}. */
  HUBER {
    @Override
    double value(double d) {
      double magnitude = Math.abs(d);
      return magnitude <= 1 ? magnitude * magnitude / 2 : magnitude - 0.5;
    }

    @Override
    double slope(double d) {
      return Math.max(-1, Math.min(1, d));
    }
  };

  /**
   * {@return the name on the command line, in files and in messages, for instance {@code huber}}
   */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  abstract double value(double d);

  abstract double slope(double d);

  @Override
  public double value(double prediction, double target) {
    return value(prediction - target);
  }

  @Override
  public double predictionSlope(double prediction, double target) {
    return slope(prediction - target);
  }

  @Override
  public double targetSlope(double prediction, double target) {
    return -slope(prediction - target);
  }

  @Override
  public int code() {
    return ordinal();
  }
}
