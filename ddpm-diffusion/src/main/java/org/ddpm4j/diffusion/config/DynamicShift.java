package org.ddpm4j.diffusion.config;

import org.ddpm4j.io.Text;

/**
 * A flow's shift that follows the size of the images, as diffusers' pipelines tell it to {@code
 * FlowMatchEulerDiscreteScheduler} with {@code use_dynamic_shifting}: μ lies on the line through
 * two lengths of the sequence of positions that a network sees, and is the shift or its logarithm.
 *
 * @param baseShift μ at the base length; {@code base_shift}
 * @param maxShift μ at the greatest length; {@code max_shift}
 * @param baseLength positions, at least 1; {@code base_image_seq_len}
 * @param maxLength positions, another number; {@code max_image_seq_len}
 * @param isLogarithm whether μ is the logarithm of the shift; {@code time_shift_type} exponential,
 *     where linear takes μ itself
 */
public record DynamicShift(
    double baseShift, double maxShift, int baseLength, int maxLength, boolean isLogarithm) {

  /**
   * Checks that there is a line.
   *
   * @throws IllegalArgumentException if there is none
   */
  public DynamicShift {
    if (baseLength < 1 || maxLength < 1 || baseLength == maxLength) {
      throw new IllegalArgumentException(
          Text.format(
              "base_image_seq_len is %d and max_image_seq_len %d; they must be at least 1 and differ.",
              baseLength, maxLength));
    }
    if (!Double.isFinite(baseShift) || !Double.isFinite(maxShift)) {
      throw new IllegalArgumentException(
          Text.format(
              "base_shift is %s and max_shift %s; they must be finite.", baseShift, maxShift));
    }
  }

  /**
   * The shift of images of a size; each pixel is a position.
   *
   * @param positions height times width
   * @return the shift
   * @throws IllegalArgumentException if it is not positive, far from the two lengths
   */
  public double shift(int positions) {
    double slope = (maxShift - baseShift) / (maxLength - baseLength);
    double mu = baseShift + slope * (positions - baseLength);
    double shift = isLogarithm ? Math.exp(mu) : mu;
    if (!(shift > 0 && shift < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          Text.format(
              "The dynamic shift of images of %d pixels is %s; it must be positive and finite.",
              positions, shift));
    }
    return shift;
  }
}
