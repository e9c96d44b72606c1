package org.ddpm4j.diffusion.sampling;

import org.ddpm4j.schedules.NoiseSchedule;

/** The fixed variance σ² of the reverse process (Ho et al. 2020, section 3.2). */
public enum ReverseVariance {
  /** {@code σ_t² = β_t}, optimal for data that is white noise: "fixed large". */
  BETA {
    @Override
    public double at(NoiseSchedule schedule, int t) {
      return schedule.betas(t);
    }
  },
  /**
   * {@code σ_t² = β̃_t}, the variance of the posterior {@code q(x_{t-1} | x_t, x_0)}, optimal for
   * data that is a single point: "fixed small".
   */
  POSTERIOR {
    @Override
    public double at(NoiseSchedule schedule, int t) {
      return schedule.posteriorVariance(t);
    }
  };

  /**
   * The variance of a step.
   *
   * @param schedule of the chain that is being reversed
   * @param t timestep, zero-based
   * @return σ_t²
   */
  public abstract double at(NoiseSchedule schedule, int t);
}
