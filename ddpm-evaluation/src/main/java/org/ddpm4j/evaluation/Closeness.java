package org.ddpm4j.evaluation;

import java.util.Arrays;
import java.util.Objects;

/**
 * Whether generated images are nearer to the training images than unseen real images are, which
 * tells copies: of a model that has learned the distribution, and not its examples, as many are.
 *
 * @param generated the distance of each generated image to the nearest training image
 * @param heldOut the same of real images that were not trained on, at least one
 */
public record Closeness(double[] generated, double[] heldOut) {

  /** Of the held-out images so many are called close. */
  public static final double CLOSE_SHARE = 0.05;

  /**
   * Checks that there is something to compare.
   *
   * @throws IllegalArgumentException if there are no distances of one of both
   */
  public Closeness {
    Objects.requireNonNull(generated, "generated");
    Objects.requireNonNull(heldOut, "heldOut");
    if (generated.length == 0 || heldOut.length == 0) {
      throw new IllegalArgumentException(
          "Closeness compares generated with held-out images; give at least one of both.");
    }
  }

  /**
   * Up to which distance images are called close: {@link #CLOSE_SHARE} of the held-out ones are.
   *
   * @return the quantile of the held-out distances
   */
  public double threshold() {
    return quantile(heldOut, CLOSE_SHARE);
  }

  /**
   * How many of the generated images are closer than that. Copies, which are 0 away, always count:
   * where a data set has the same image several times, held-out ones are copies, too, and the
   * threshold may be 0.
   *
   * @return about {@link #CLOSE_SHARE} where nothing is copied, 1 where everything is
   */
  public double closeShare() {
    double threshold = threshold();
    long close = Arrays.stream(generated).filter(d -> d == 0 || d < threshold).count();
    return close / (double) generated.length;
  }

  /** {@return the median distance of generated images, at least 0} */
  public double generatedMedian() {
    return quantile(generated, 0.5);
  }

  /** {@return the median distance of held-out images, at least 0} */
  public double heldOutMedian() {
    return quantile(heldOut, 0.5);
  }

  /** By linear interpolation between the two nearest ranks, as NumPy's default. */
  private static double quantile(double[] values, double share) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    double place = share * (sorted.length - 1);
    int below = (int) place;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }
}
