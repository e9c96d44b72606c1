package org.ddpm4j.schedules;

/**
 * √β_t grows linearly, so that β_t = (√{@code betaStart} + t/(T-1) · (√{@code betaEnd} - √{@code
 * betaStart}))²: quieter at the beginning of the chain than {@link LinearSchedule} with the same
 * ends. Called {@code quad} in the code of Ho et al. 2020; latent diffusion (Rombach et al. 2022)
 * takes it with other ends, which diffusers calls {@code scaled_linear}.
 *
 * @param betaStart β of timestep 0, in (0, 1)
 * @param betaEnd β of timestep T-1, in (0, 1), not less than {@code betaStart}
 */
public record QuadraticSchedule(double betaStart, double betaEnd) implements BetaSchedule {

  /**
   * Checks both ends.
   *
   * @throws IllegalArgumentException if an end is not in (0, 1) or {@code betaEnd} is the lesser
   */
  public QuadraticSchedule {
    Requirements.requireEnds(betaStart, betaEnd);
  }

  /**
   * Between the ends of Ho et al. 2020, section 4.
   *
   * @return β from 1e-4 to 0.02
   */
  public static QuadraticSchedule paperEnds() {
    LinearSchedule paper = LinearSchedule.paper();
    return new QuadraticSchedule(paper.betaStart(), paper.betaEnd());
  }

  /**
   * The schedule of latent diffusion (Rombach et al. 2022), which diffusers names {@code
   * scaled_linear}. With T = 1000 its ᾱ_T is 4.7e-3.
   *
   * @return β from 0.00085 to 0.012
   */
  public static QuadraticSchedule scaledLinear() {
    return new QuadraticSchedule(0.00085, 0.012);
  }

  @Override
  public double[] betas(int timesteps) {
    Requirements.requireTimesteps(timesteps);
    double[] betas = Linspace.of(Math.sqrt(betaStart), Math.sqrt(betaEnd), timesteps);
    for (int t = 0; t < timesteps; t++) {
      betas[t] *= betas[t];
    }
    return betas;
  }
}
