package org.ddpm4j.schedules;

import java.util.Arrays;

/**
 * The same β at every timestep, so that ᾱ_t = (1 - β)^(t+1) and log ᾱ falls along a straight line.
 * Ho et al. 2020 compared it in their code ({@code const}); it serves arithmetic by hand better
 * than images, whose details the first timestep already drowns.
 *
 * @param beta β of every timestep, in (0, 1)
 */
public record ConstantSchedule(double beta) implements BetaSchedule {

  /**
   * Checks β.
   *
   * @throws IllegalArgumentException if it is not in (0, 1)
   */
  public ConstantSchedule {
    Requirements.requireBeta("beta", beta);
  }

  /**
   * With the last β of Ho et al. 2020, section 4.
   *
   * @return β = 0.02
   */
  public static ConstantSchedule paperEnd() {
    return new ConstantSchedule(LinearSchedule.paper().betaEnd());
  }

  @Override
  public double[] betas(int timesteps) {
    Requirements.requireTimesteps(timesteps);
    double[] betas = new double[timesteps];
    Arrays.fill(betas, beta);
    return betas;
  }
}
