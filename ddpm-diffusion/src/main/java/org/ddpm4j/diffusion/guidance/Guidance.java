package org.ddpm4j.diffusion.guidance;

import org.ddpm4j.diffusion.NoiseLevel;
import org.ddpm4j.diffusion.arithmetic.BatchArithmetic;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How far beyond the model of its class a sample is drawn towards it.
 *
 * <p>What the network predicts, be it ε, x0 or v, becomes {@code ỹ = y_∅ + s (y_c - y_∅)}, where
 * y_c is the answer to the class and y_∅ that to none. With {@code s = 1 + w} this is {@code (1 +
 * w) y_c - w y_∅} (Ho and Salimans 2022, eq. 6).
 *
 * @param scale s, from 0 to {@value #MAX_SCALE}: 0 forgets the class, 1 is no guidance, more makes
 *     samples more typical of their class and less varied
 * @param rescale φ in [0,1]: how much of the change that guidance makes to the standard deviation
 *     of each image is taken back (Lin et al. 2024, "Common Diffusion Noise Schedules and Sample
 *     Steps Are Flawed", eq. 14 to 16), 0 for nothing
 * @param interval the noise levels at which there is guidance
 */
public record Guidance(double scale, double rescale, Interval interval) {

  /**
   * The largest scale: far more than makes pictures, and far less than makes numbers that are none.
   */
  public static final int MAX_SCALE = 1000;

  /** The scale 1, with which only the class is asked for. */
  public static final Guidance NONE = of(1);

  /**
   * Noise levels by their ρ = σ/α, which is the σ of Karras et al. 2022 (Kynkäänniemi et al. 2024,
   * "Applying Guidance in a Limited Interval Improves Sample and Distribution Quality in Diffusion
   * Models"). At others the scale is 1.
   *
   * @param minRho the least ρ with guidance, at least 0
   * @param maxRho the greatest, more than that; may be infinite
   */
  public record Interval(double minRho, double maxRho) {

    /** Every noise level. */
    public static final Interval ALL = new Interval(0, Double.POSITIVE_INFINITY);

    /**
     * Checks the order.
     *
     * @throws IllegalArgumentException if the interval is empty or reaches below 0
     */
    public Interval {
      if (!(minRho >= 0 && minRho < maxRho)) {
        throw new IllegalArgumentException(
            Text.format(
                "The noise levels with guidance are %s to %s; the first must be at least 0 and less than the second.",
                minRho, maxRho));
      }
    }

    /**
     * Whether a level is one of them.
     *
     * @param level of the noisy images
     * @return true if there is guidance
     */
    public boolean contains(NoiseLevel level) {
      return level.rho() >= minRho && level.rho() <= maxRho;
    }
  }

  /**
   * Checks the ranges. A missing interval is {@link Interval#ALL}.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public Guidance {
    interval = interval == null ? Interval.ALL : interval;
    if (!(scale >= 0 && scale <= MAX_SCALE)) {
      throw new IllegalArgumentException(
          Text.format(
              "The guidance scale is %s; it must be from 0 to %d, where 1 is no guidance.",
              scale, MAX_SCALE));
    }
    if (!(rescale >= 0 && rescale <= 1)) {
      throw new IllegalArgumentException(
          Text.format("The guidance rescale is %s; it must be from 0 to 1.", rescale));
    }
  }

  /**
   * Plain guidance at every noise level.
   *
   * @param scale s, from 0 to {@value #MAX_SCALE}
   * @return without rescaling
   * @throws IllegalArgumentException if the scale is out of its range
   */
  public static Guidance of(double scale) {
    return new Guidance(scale, 0, Interval.ALL);
  }

  /**
   * The same with another rescaling.
   *
   * @param newRescale φ in [0,1]; 0.7 in the paper
   * @return the new guidance
   * @throws IllegalArgumentException if it is out of its range
   */
  public Guidance withRescale(double newRescale) {
    return new Guidance(scale, newRescale, interval);
  }

  /**
   * The same at other noise levels.
   *
   * @param newInterval the noise levels at which there is guidance
   * @return the new guidance
   */
  public Guidance within(Interval newInterval) {
    return new Guidance(scale, rescale, newInterval);
  }

  /** Whether the answer for no class matters. */
  boolean needsNullClass() {
    return scale != 1;
  }

  /** Whether the answer for the class matters where there is guidance. */
  boolean needsClass() {
    // Rescaling takes the standard deviation of the answer for the class.
    return scale != 0 || rescale != 0;
  }

  /**
   * Combines two answers of a network to the same noisy images.
   *
   * @param conditional y_c, {@code [N,C,H,W]}
   * @param unconditional y_∅, same shape and type
   * @return ỹ, a new array
   */
  public INDArray combine(INDArray conditional, INDArray unconditional) {
    INDArray guided = BatchArithmetic.towards(unconditional, conditional, scale);
    if (rescale != 0) {
      rescale(guided, conditional);
    }
    return guided;
  }

  /** Multiplies each image by {@code φ std(y_c) / std(ỹ) + 1 - φ}. */
  private void rescale(INDArray guided, INDArray conditional) {
    double[] factors = BatchArithmetic.standardDeviations(conditional);
    double[] actual = BatchArithmetic.standardDeviations(guided);
    for (int i = 0; i < factors.length; i++) {
      // An image of one colour has no deviation to set right.
      double ratio = actual[i] > 0 ? factors[i] / actual[i] : 1;
      factors[i] = rescale * ratio + 1 - rescale;
    }
    BatchArithmetic.scalePerImage(guided, factors);
  }
}
