package org.ddpm4j.schedules;

import java.util.Arrays;

/**
 * The noise-to-signal ratios of Karras et al. 2022, eq. 5, whose {@code ρ^{1/7}} is evenly spaced,
 * as a chain that keeps the variance: {@code ᾱ = 1/(1+ρ²)}.
 *
 * @param least ρ of the first timestep, σ_min; positive
 * @param greatest ρ of the last, σ_max; greater and finite
 */
public record EdmSchedule(double least, double greatest) implements BetaSchedule {

  private static final double EXPONENT = 7;

  /**
   * Checks the ends.
   *
   * @throws IllegalArgumentException if one is not positive and finite, or the first is not the
   *     less
   */
  public EdmSchedule {
    Requirements.requireRatios(least, greatest);
  }

  /**
   * Between the ends of Karras et al. 2022, table 1.
   *
   * @return from 0.002 to 80
   */
  public static EdmSchedule paper() {
    return new EdmSchedule(0.002, 80);
  }

  @Override
  public double[] betas(int timesteps) {
    Requirements.requireTimesteps(timesteps);
    double[] roots =
        Linspace.of(Math.pow(least, 1 / EXPONENT), Math.pow(greatest, 1 / EXPONENT), timesteps);
    return AlphaCumprodBetas.ofRatios(
        Arrays.stream(roots).map(root -> Math.pow(root, EXPONENT)).toArray());
  }
}
