package org.ddpm4j.schedules;

/**
 * β_t rises along a logistic curve, {@code betaStart} + ({@code betaEnd} - {@code betaStart}) ·
 * σ(x) with x evenly spaced from -6 to 6 (the code of GeoDiff, Xu et al. 2022; diffusers' {@code
 * sigmoid}): little noise for a third of the chain, much for the last.
 *
 * <p>σ(6) is 0.9975, so that β comes near both ends without reaching them.
 *
 * @param betaStart lower limit of β, in (0, 1)
 * @param betaEnd upper limit of β, in (0, 1), not less than {@code betaStart}
 */
public record SigmoidSchedule(double betaStart, double betaEnd) implements BetaSchedule {

  private static final double RANGE = 6;

  /**
   * Checks both ends.
   *
   * @throws IllegalArgumentException if an end is not in (0, 1) or {@code betaEnd} is the lesser
   */
  public SigmoidSchedule {
    Requirements.requireEnds(betaStart, betaEnd);
  }

  /**
   * Between the ends of Ho et al. 2020, section 4.
   *
   * @return β between 1e-4 and 0.02
   */
  public static SigmoidSchedule paperEnds() {
    LinearSchedule paper = LinearSchedule.paper();
    return new SigmoidSchedule(paper.betaStart(), paper.betaEnd());
  }

  @Override
  public double[] betas(int timesteps) {
    Requirements.requireTimesteps(timesteps);
    double[] betas = Linspace.of(-RANGE, RANGE, timesteps);
    for (int t = 0; t < timesteps; t++) {
      betas[t] = 1 / (1 + Math.exp(-betas[t])) * (betaEnd - betaStart) + betaStart;
    }
    return betas;
  }
}
