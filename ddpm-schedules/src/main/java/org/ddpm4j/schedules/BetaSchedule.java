package org.ddpm4j.schedules;

/**
 * A formula for β_t, the variance of the noise that timestep t of the forward process adds (Ho et
 * al. 2020, eq. 2).
 *
 * <p>The formula is separate from the table of constants ({@link NoiseSchedule}), so that a further
 * schedule is one small record with one method.
 */
@FunctionalInterface
public interface BetaSchedule {

  /**
   * Computes β for every timestep of a chain.
   *
   * @param timesteps T, at least 1
   * @return a new array {@code [T]}, from timestep 0 (least noise) to T-1
   * @throws IllegalArgumentException if {@code timesteps} is less than 1
   */
  double[] betas(int timesteps);

  /**
   * How many of the betas are not the formula's own because they lie at a floor or a ceiling. Most
   * formulas have neither.
   *
   * @param timesteps T, at least 1
   * @return the numbers of changed betas
   * @throws IllegalArgumentException if {@code timesteps} is less than 1
   */
  default Clipping clipping(int timesteps) {
    Requirements.requireTimesteps(timesteps);
    return Clipping.NONE;
  }
}
