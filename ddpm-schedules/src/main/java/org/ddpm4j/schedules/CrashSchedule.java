package org.ddpm4j.schedules;

/**
 * The noise grows as a squared sine (Katherine Crowson's v-diffusion, whose "crash schedule" is
 * that of diffusers' {@code IPNDMScheduler}): {@code σ(u) = sin²(π u/2)} and {@code ᾱ(u) = 1 -
 * σ(u)²} for u = (t+1)/T, so that the last ᾱ is 0.
 */
public record CrashSchedule() implements BetaSchedule {

  @Override
  public double[] betas(int timesteps) {
    Requirements.requireTimesteps(timesteps);
    double[] betas = new double[timesteps];
    for (int t = 0; t < timesteps; t++) {
      double before = sigma((double) t / timesteps);
      double after = sigma((t + 1.0) / timesteps);
      betas[t] = (after - before) * (after + before) / ((1 - before) * (1 + before));
    }
    // In exact numbers it is 1 anyway.
    betas[timesteps - 1] = 1;
    return betas;
  }

  /**
   * The share of noise.
   *
   * @param u in [0,1]
   * @return {@code √(1-ᾱ)}
   */
  public static double sigma(double u) {
    double sine = Math.sin(Math.PI / 2 * u);
    return sine * sine;
  }

  /**
   * What networks of this schedule are asked with: the angle between image and noise, of a quarter
   * turn.
   *
   * @param u in [0,1]
   * @return from 0 to 1
   */
  public static double angle(double u) {
    return Math.asin(sigma(u)) / (Math.PI / 2);
  }
}
