package org.ddpm4j.evaluation;

import java.util.Objects;

/**
 * Density and coverage (Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative
 * models", eq. 3 and 4): like {@link PrecisionRecall}, but single odd images count for little.
 *
 * @param density in how many neighbourhoods of real images a generated one lies, over k; 1 is
 *     expected of real images, and it may be more
 * @param coverage the part of the real images in whose neighbourhood there is a generated one
 */
public record DensityCoverage(double density, double coverage) {

  /** The neighbours that the paper takes. */
  public static final int NEIGHBOURS = 5;

  /**
   * Both, of two sets of features.
   *
   * @param real of more than k images
   * @param generated of at least one image, about as many
   * @param k neighbours, at least 1; the paper's are {@link #NEIGHBOURS}
   * @return density, at least 0, and coverage, in [0,1]
   * @throws IllegalArgumentException if there are too few images, or features are of different
   *     length or not finite
   */
  public static DensityCoverage of(Features real, Features generated, int k) {
    Objects.requireNonNull(real, "real");
    Objects.requireNonNull(generated, "generated");
    double[] radii = Neighbours.radii(real, k);
    long[] within = {0, 0};
    Neighbours.forEachRow(
        real,
        generated,
        (image, row) -> {
          long before = within[0];
          for (int j = 0; j < row.count(); j++) {
            within[0] += row.compare(j, radii[image]) < 0 ? 1 : 0;
          }
          within[1] += within[0] > before ? 1 : 0;
        });
    return new DensityCoverage(
        (double) within[0] / k / generated.count(), (double) within[1] / real.count());
  }
}
