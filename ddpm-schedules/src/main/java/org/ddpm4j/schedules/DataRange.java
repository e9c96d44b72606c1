package org.ddpm4j.schedules;

import java.util.Objects;

/**
 * How large the values of the data are, which decides how much noise it takes to drown them.
 *
 * @param largest the largest |x| that occurs, positive, with a finite square
 * @param meanSquare the mean of x² over all images, pixels and channels (variance plus squared
 *     mean), positive, at most {@code largest}²
 */
public record DataRange(double largest, double meanSquare) {

  private static final double ROUNDING = 1e-9;

  /**
   * Checks both values.
   *
   * @throws IllegalArgumentException if one is not positive or the mean exceeds the largest
   */
  public DataRange {
    Requirements.require(
        largest > 0 && Requirements.isPositive(largest * largest),
        "The largest |x| of the data is %s; it must be positive and finite, and so must its square.",
        largest);
    Requirements.require(
        meanSquare > 0 && meanSquare <= largest * largest * (1 + ROUNDING),
        "The mean of x² is %s; it must be positive and at most the square of the largest |x|, which is %s.",
        meanSquare,
        largest * largest);
  }

  /**
   * Pixels in [-1,1], the range of Ho et al. 2020, with every pixel black or white: the most that
   * such images can carry.
   *
   * @return a largest |x| and a mean of x² of 1
   */
  public static DataRange pixels() {
    return ofLargest(1);
  }

  /**
   * Data of which only the largest value is known.
   *
   * @param largest the largest |x|, positive and finite
   * @return the range with the greatest mean of x² that this allows
   * @throws IllegalArgumentException if {@code largest} is out of range
   */
  public static DataRange ofLargest(double largest) {
    return new DataRange(largest, largest * largest);
  }

  /**
   * Pixels that are 0..1 before each channel has its mean subtracted and is divided by its standard
   * deviation, such as ImageNet's 0.485, 0.456, 0.406 and 0.229, 0.224, 0.225, with which pixels
   * reach from -2.12 to 2.64. The mean of x² is 1, as it is over the data that the statistics were
   * taken from.
   *
   * @param means mean of each channel, in [0,1]
   * @param standardDeviations standard deviation of each channel, positive; as many
   * @return the range after that
   * @throws IllegalArgumentException if the channels' numbers differ or are none, or a value is out
   *     of range
   */
  public static DataRange standardized(double[] means, double[] standardDeviations) {
    Objects.requireNonNull(means, "means");
    Objects.requireNonNull(standardDeviations, "standardDeviations");
    Requirements.require(
        means.length > 0 && means.length == standardDeviations.length,
        "%d means and %d standard deviations were given; each channel needs one of both.",
        means.length,
        standardDeviations.length);
    double largest = 0;
    for (int c = 0; c < means.length; c++) {
      Requirements.require(
          means[c] >= 0 && means[c] <= 1 && standardDeviations[c] > 0,
          "Channel %d has the mean %s and the standard deviation %s; of pixels in [0,1] the mean must be in [0,1] and the deviation positive.",
          c,
          means[c],
          standardDeviations[c]);
      largest = Math.max(largest, Math.max(means[c], 1 - means[c]) / standardDeviations[c]);
    }
    return new DataRange(largest, 1);
  }
}
