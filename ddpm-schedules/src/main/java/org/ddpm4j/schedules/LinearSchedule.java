package org.ddpm4j.schedules;

/**
 * β_t grows linearly from {@code betaStart} to {@code betaEnd} (Ho et al. 2020, section 4).
 *
 * <p>The paper's end points are made for its T = 1000. On a shorter chain the same end points leave
 * signal in x_T (at T = 600, ᾱ_T is 2.3e-3, that is 4.8 % of the image's amplitude), on a much
 * longer one they spend most timesteps on pure noise. {@link #scaledTo} keeps the total noise.
 *
 * @param betaStart β of timestep 0, in (0, 1)
 * @param betaEnd β of timestep T-1, in (0, 1), not less than {@code betaStart}
 */
public record LinearSchedule(double betaStart, double betaEnd) implements BetaSchedule {

  /** T of Ho et al. 2020, section 4, for which {@link #paper()} is made. */
  public static final int PAPER_TIMESTEPS = 1000;

  private static final double PAPER_BETA_START = 1e-4;
  private static final double PAPER_BETA_END = 0.02;

  /**
   * Checks both ends.
   *
   * @throws IllegalArgumentException if an end is not in (0, 1) or {@code betaEnd} is the lesser
   */
  public LinearSchedule {
    Requirements.requireEnds(betaStart, betaEnd);
  }

  /**
   * The schedule of Ho et al. 2020, section 4.
   *
   * @return β from 1e-4 to 0.02
   */
  public static LinearSchedule paper() {
    return new LinearSchedule(PAPER_BETA_START, PAPER_BETA_END);
  }

  /**
   * Scales end points that were made for 1000 timesteps, so that a chain of another length adds
   * about the same noise in all: log ᾱ_T is nearly minus the sum of the betas, and the sum stays.
   *
   * @param timesteps T of the chain to scale to, at least 1
   * @return both end points times 1000 / T
   * @throws IllegalArgumentException if T is less than 1, or so small that a β would reach 1
   */
  public LinearSchedule scaledTo(int timesteps) {
    Requirements.requireTimesteps(timesteps);
    double scale = (double) PAPER_TIMESTEPS / timesteps;
    Requirements.require(
        betaEnd * scale < 1,
        "Scaled to %d timesteps, beta end would be %s, but β must stay below 1; take more than %d timesteps or a schedule that needs no scaling, such as the cosine one.",
        timesteps,
        betaEnd * scale,
        (int) (betaEnd * PAPER_TIMESTEPS));
    return new LinearSchedule(betaStart * scale, betaEnd * scale);
  }

  @Override
  public double[] betas(int timesteps) {
    Requirements.requireTimesteps(timesteps);
    return Linspace.of(betaStart, betaEnd, timesteps);
  }
}
