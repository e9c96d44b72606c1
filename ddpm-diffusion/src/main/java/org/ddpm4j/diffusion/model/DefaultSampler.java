package org.ddpm4j.diffusion.model;

import java.util.Objects;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * How a model draws unless told otherwise.
 *
 * @param config which sampler, and its options
 * @param x0Constraint applied to every estimate of x0
 */
public record DefaultSampler(SamplerConfig config, X0Constraint x0Constraint) {

  /**
   * Checks that nothing is missing.
   *
   * @param config which sampler
   * @param x0Constraint applied to every estimate of x0
   * @throws NullPointerException if one is missing
   */
  public DefaultSampler {
    Objects.requireNonNull(config, "config");
    Objects.requireNonNull(x0Constraint, "x0Constraint");
  }

  /**
   * Makes the sampler.
   *
   * @param schedule of the model
   * @param steps S, how many
   * @return the sampler
   * @throws IllegalArgumentException if it cannot take so many steps, or the schedule is not one
   *     for it
   */
  public PathSampler create(NoiseSchedule schedule, int steps) {
    return config.create(schedule, steps, x0Constraint);
  }
}
