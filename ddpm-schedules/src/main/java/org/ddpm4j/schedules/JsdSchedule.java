package org.ddpm4j.schedules;

/**
 * β_t = 1/(T - t): each timestep removes the same share 1/T of the signal's variance, hence ᾱ_t = 1
 * - (t+1)/T, a straight line that ends at 0. Sohl-Dickstein et al. 2015, section 2.4.1, use it for
 * binomial diffusion; {@code jsd} in the code of Ho et al. 2020.
 *
 * <p>The last β is 1: x_T is pure noise exactly, see {@link NoiseSchedule}.
 */
public record JsdSchedule() implements BetaSchedule {

  @Override
  public double[] betas(int timesteps) {
    Requirements.requireTimesteps(timesteps);
    double[] betas = new double[timesteps];
    for (int t = 0; t < timesteps; t++) {
      betas[t] = 1.0 / (timesteps - t);
    }
    return betas;
  }
}
