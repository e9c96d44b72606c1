package org.ddpm4j.unet;

/**
 * How a parameter starts: uniform in {@code [mean - bound, mean + bound)}.
 *
 * @param mean the middle
 * @param bound half the width, at least 0; 0 is a constant
 */
public record Initialization(double mean, double bound) {

  /** All zeros. */
  public static final Initialization ZEROS = new Initialization(0, 0);

  /** All ones. */
  public static final Initialization ONES = new Initialization(1, 0);

  /**
   * Checks the bound.
   *
   * @param mean the middle
   * @param bound half the width
   * @throws IllegalArgumentException if the bound is negative or one of them is not finite
   */
  public Initialization {
    if (!(bound >= 0) || !Double.isFinite(mean) || !Double.isFinite(bound)) {
      throw new IllegalArgumentException(
          "Weights cannot start uniformly within %s of %s; the bound must be finite and at least 0."
              .formatted(bound, mean));
    }
  }

  /**
   * PyTorch's default for the weight and the bias of linear and convolutional layers: uniform
   * within {@code 1/sqrt(fanIn)} of zero.
   *
   * @param fanIn the number of inputs that one output sums
   * @return the initialisation
   */
  public static Initialization fanIn(long fanIn) {
    return new Initialization(0, 1 / Math.sqrt(fanIn));
  }
}
