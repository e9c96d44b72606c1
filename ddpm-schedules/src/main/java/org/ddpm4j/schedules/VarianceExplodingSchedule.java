package org.ddpm4j.schedules;

import java.util.Arrays;

/**
 * The noise-to-signal ratios of Song et al. 2021b, appendix C, whose logarithms are evenly spaced,
 * as a chain that keeps the variance: {@code ᾱ = 1/(1+ρ²)}.
 *
 * @param least ρ of the first timestep, σ_min; positive
 * @param greatest ρ of the last, σ_max; greater and finite
 */
public record VarianceExplodingSchedule(double least, double greatest) implements BetaSchedule {

  /**
   * Checks the ends.
   *
   * @throws IllegalArgumentException if one is not positive and finite, or the first is not the
   *     less
   */
  public VarianceExplodingSchedule {
    Requirements.requireRatios(least, greatest);
  }

  /**
   * Between the ends that diffusers' {@code ScoreSdeVeScheduler} has unless it is told others.
   *
   * @return from 0.01 to 1348
   */
  public static VarianceExplodingSchedule diffusers() {
    return new VarianceExplodingSchedule(0.01, 1348);
  }

  @Override
  public double[] betas(int timesteps) {
    Requirements.requireTimesteps(timesteps);
    double[] logarithms = Linspace.of(Math.log(least), Math.log(greatest), timesteps);
    return AlphaCumprodBetas.ofRatios(Arrays.stream(logarithms).map(Math::exp).toArray());
  }
}
