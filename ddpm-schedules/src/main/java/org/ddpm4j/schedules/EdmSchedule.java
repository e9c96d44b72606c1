package org.ddpm4j.schedules;

import java.util.Locale;

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
    if (!(least > 0 && least < greatest && greatest < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "The ratios of noise to signal cannot go from %s to %s; both must be positive and finite, and the first the less.",
              least,
              greatest));
    }
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
    double[] betas = new double[timesteps];
    double before = 1;
    for (int t = 0; t < timesteps; t++) {
      double ratio = Math.pow(roots[t], EXPONENT);
      double alphaCumprod = 1 / (1 + ratio * ratio);
      betas[t] = 1 - alphaCumprod / before;
      before = alphaCumprod;
    }
    return betas;
  }
}
