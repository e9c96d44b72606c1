package org.ddpm4j.schedules;

import java.util.Locale;

/**
 * The constants of a noise schedule, one value for each timestep, each with its formula.
 *
 * <p>Ranges are those of β in (0, 1). Where the last β is 1, {@link NoiseSchedule} says what each
 * constant is there.
 *
 * <p>Equation numbers are those of Ho et al. 2020 unless said otherwise.
 */
public enum ScheduleConstant {
  /** β_t: variance of the noise that timestep t adds (eq. 2). In (0, 1). */
  BETAS((beta, cumprod, prev) -> beta),

  /** α_t = 1 - β_t: what timestep t keeps of the signal's variance (eq. 4). In (0, 1). */
  ALPHAS((beta, cumprod, prev) -> 1 - beta),

  /** ᾱ_t, the product of α_0 to α_t: what is left of the signal's variance (eq. 4). In (0, 1). */
  ALPHAS_CUMPROD((beta, cumprod, prev) -> cumprod),

  /** ᾱ of the timestep before t; 1 at t = 0, where nothing has been added yet. */
  ALPHAS_CUMPROD_PREV((beta, cumprod, prev) -> prev),

  /** 1/√α_t: factor of the mean of p(x_prev | x_t) (eq. 11). */
  SQRT_RECIP_ALPHAS((beta, cumprod, prev) -> Math.sqrt(1 / (1 - beta))),

  /** √ᾱ_t: factor of x_0 in x_t = √ᾱ_t x_0 + √(1 - ᾱ_t) ε (eq. 4). */
  SQRT_ALPHAS_CUMPROD((beta, cumprod, prev) -> Math.sqrt(cumprod)),

  /** √(1 - ᾱ_t): factor of ε in x_t, the standard deviation of q(x_t | x_0) (eq. 4). */
  SQRT_ONE_MINUS_ALPHAS_CUMPROD((beta, cumprod, prev) -> Math.sqrt(1 - cumprod)),

  /** log(1 - ᾱ_t): log-variance of q(x_t | x_0), in nats. */
  LOG_ONE_MINUS_ALPHAS_CUMPROD((beta, cumprod, prev) -> Math.log(1 - cumprod)),

  /** 1/√ᾱ_t: factor of x_t in x_0 = x_t/√ᾱ_t - √(1/ᾱ_t - 1) ε, which is eq. 4 solved for x_0. */
  SQRT_RECIP_ALPHAS_CUMPROD((beta, cumprod, prev) -> Math.sqrt(1 / cumprod)),

  /** √(1/ᾱ_t - 1): factor of ε in the same expression for x_0. */
  SQRT_RECIPM1_ALPHAS_CUMPROD((beta, cumprod, prev) -> Math.sqrt(1 / cumprod - 1)),

  /**
   * β̃_t = β_t (1 - ᾱ_prev) / (1 - ᾱ_t): variance of q(x_prev | x_t, x_0) (eq. 7). 0 at t = 0. It
   * is a variance: what multiplies the noise of a sampler is its root, {@link
   * #POSTERIOR_STANDARD_DEVIATION}.
   */
  POSTERIOR_VARIANCE(ScheduleConstant::posteriorVariance),

  /** σ_t = √β̃_t: standard deviation of q(x_prev | x_t, x_0) (algorithm 2). 0 at t = 0. */
  POSTERIOR_STANDARD_DEVIATION(
      (beta, cumprod, prev) -> Math.sqrt(posteriorVariance(beta, cumprod, prev))),

  /**
   * log β̃_t in nats, with the value of t = 1 at t = 0, where log β̃ is minus infinity (Nichol
   * &amp; Dhariwal 2021 interpolate between it and log β_t, eq. 15). With T = 1 there is no such
   * value, and log β_0 takes its place.
   */
  POSTERIOR_LOG_VARIANCE_CLIPPED(
      (beta, cumprod, prev) -> Math.log(posteriorVariance(beta, cumprod, prev))),

  /** √ᾱ_prev β_t / (1 - ᾱ_t): factor of x_0 in the mean μ̃ of q(x_prev | x_t, x_0) (eq. 7). */
  POSTERIOR_MEAN_COEF1((beta, cumprod, prev) -> beta * Math.sqrt(prev) / (1 - cumprod)),

  /** √α_t (1 - ᾱ_prev) / (1 - ᾱ_t): factor of x_t in the mean μ̃ (eq. 7). 0 at t = 0. */
  POSTERIOR_MEAN_COEF2((beta, cumprod, prev) -> (1 - prev) * Math.sqrt(1 - beta) / (1 - cumprod)),

  /** log SNR_t in nats, the -γ of Kingma et al. 2021, section 3.2. Falls with t. */
  LOG_SNR((beta, cumprod, prev) -> Math.log(cumprod) - Math.log1p(-cumprod)),

  /** Signal-to-noise ratio ᾱ_t / (1 - ᾱ_t) (Kingma et al. 2021, eq. 2). Falls with t. */
  SNR((beta, cumprod, prev) -> cumprod / (1 - cumprod));

  private final Formula formula;

  ScheduleConstant(Formula formula) {
    this.formula = formula;
  }

  /**
   * The name that files and tables use, as in the papers' own code.
   *
   * @return for example {@code alphas_cumprod}
   */
  public String fieldName() {
    return name().toLowerCase(Locale.ROOT);
  }

  double at(double beta, double alphaCumprod, double alphaCumprodPrev) {
    return formula.at(beta, alphaCumprod, alphaCumprodPrev);
  }

  private static double posteriorVariance(double beta, double cumprod, double prev) {
    return beta * (1 - prev) / (1 - cumprod);
  }

  @FunctionalInterface
  private interface Formula {
    double at(double beta, double alphaCumprod, double alphaCumprodPrev);
  }
}
