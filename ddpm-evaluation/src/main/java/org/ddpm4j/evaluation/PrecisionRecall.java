package org.ddpm4j.evaluation;

import java.util.Objects;

/**
 * Precision and recall (Kynkäänniemi et al. 2019, "Improved precision and recall metric for
 * assessing generative models"). A set of images stands for all that lies within the distance of
 * any of them to its k-th nearest other: {@code f(x, Y)} is 1 where {@code |x - y| <= |y - NN_k(y,
 * Y)|} for some y of Y, and else 0. Precision is the mean of {@code f(g, R)} over the generated
 * images g, and recall that of {@code f(r, G)} over the real ones r.
 *
 * @param precision the part of the generated images that are among what the real ones stand for:
 *     how many are good
 * @param recall the part of the real images that are among what the generated ones stand for: how
 *     much of the variety there is
 */
public record PrecisionRecall(double precision, double recall) {

  /** The neighbours that the paper takes. */
  public static final int NEIGHBOURS = 3;

  /**
   * Both, of two sets of features.
   *
   * @param real of more than k images
   * @param generated of more than k images, about as many
   * @param k neighbours, at least 1; the paper's are {@link #NEIGHBOURS}
   * @return precision and recall, each in [0,1]
   * @throws IllegalArgumentException if there are too few images, or features are of different
   *     length or not finite
   */
  public static PrecisionRecall of(Features real, Features generated, int k) {
    Objects.requireNonNull(real, "real");
    Objects.requireNonNull(generated, "generated");
    return new PrecisionRecall(covered(generated, real, k), covered(real, generated, k));
  }

  /** The part of some images that lie within the radius of any of others. */
  private static double covered(Features images, Features others, int k) {
    double[] radii = Neighbours.radii(others, k);
    int[] count = {0};
    Neighbours.forEachRow(
        images,
        others,
        (image, row) -> {
          for (int j = 0; j < row.count(); j++) {
            if (row.compare(j, radii[j]) <= 0) {
              count[0]++;
              return;
            }
          }
        });
    return (double) count[0] / images.count();
  }
}
