package org.ddpm4j.schedules;

import java.util.Arrays;

/**
 * ᾱ follows a squared cosine (Nichol &amp; Dhariwal 2021, eq. 17): ᾱ(u) = f(u) / f(0) with f(u) =
 * cos²((u + s) / (1 + s) · π/2) for u = t/T in 0..1, hence β_t = 1 - ᾱ((t+1)/T) / ᾱ(t/T).
 *
 * <p>The square matters: without it, the root of ᾱ takes its place, and every timestep keeps more
 * signal. Near u = 1 the formula gives β = 1, which no posterior survives, so β is clipped from
 * above. A ceiling far below the paper's changes the schedule, not only its last value: at T = 600
 * a ceiling of 0.02 clips 97 timesteps and leaves ᾱ_T = 8.8e-3.
 *
 * @param s the offset that keeps β from vanishing at t = 0; finite, at least 0
 * @param minBeta the least β, in [0, {@code maxBeta}); 0 for none
 * @param maxBeta the greatest β, in (0, 1)
 */
public record CosineSchedule(double s, double minBeta, double maxBeta) implements BetaSchedule {

  private static final double PAPER_S = 0.008;
  private static final double PAPER_MAX_BETA = 0.999;

  /**
   * Checks offset and clip.
   *
   * @throws IllegalArgumentException if a value is outside its range
   */
  public CosineSchedule {
    Requirements.require(
        s >= 0 && s < Double.POSITIVE_INFINITY,
        "s is %s; the offset of the cosine schedule must be finite and at least 0.",
        s);
    Requirements.requireBeta("maxBeta", maxBeta);
    Requirements.require(
        minBeta >= 0 && minBeta < maxBeta,
        "minBeta is %s; it must be at least 0 and less than maxBeta, which is %s.",
        minBeta,
        maxBeta);
  }

  /**
   * The schedule of Nichol &amp; Dhariwal 2021, section 3.2.
   *
   * @return s = 0.008, β at most 0.999, no floor
   */
  public static CosineSchedule paper() {
    return new CosineSchedule(PAPER_S, 0, PAPER_MAX_BETA);
  }

  /**
   * The variant of the blog post "The Annotated Diffusion Model" (Rogge and Rasul 2022), which
   * raises the first betas.
   *
   * @return s = 0.008, β clipped to [1e-4, 0.9999]
   */
  public static CosineSchedule annotated() {
    return new CosineSchedule(PAPER_S, 1e-4, 0.9999);
  }

  @Override
  public double[] betas(int timesteps) {
    double[] betas = unclipped(timesteps);
    for (int t = 0; t < timesteps; t++) {
      betas[t] = Math.max(minBeta, Math.min(betas[t], maxBeta));
    }
    return betas;
  }

  @Override
  public Clipping clipping(int timesteps) {
    double[] betas = unclipped(timesteps);
    return new Clipping(
        (int) Arrays.stream(betas).filter(beta -> beta < minBeta).count(),
        (int) Arrays.stream(betas).filter(beta -> beta > maxBeta).count());
  }

  private double[] unclipped(int timesteps) {
    // f(0) cancels in the ratio except for rounding, of which 1 - ratio magnifies every bit. The
    // paper's code divides f by f, the floored variant ᾱ by ᾱ: each is followed to the last digit.
    double divisor = minBeta > 0 ? f(0) : 1;
    return AlphaCumprodBetas.unclipped(u -> f(u) / divisor, timesteps);
  }

  private double f(double u) {
    double cosine = Math.cos((u + s) / (1 + s) * Math.PI / 2);
    return cosine * cosine;
  }
}
