package org.ddpm4j.schedules;

import java.util.Objects;

/**
 * Another schedule whose noise-to-signal ratio ρ is multiplied at every timestep: {@code log SNR}
 * moves by {@code -2 log(factor)} (Hoogeboom et al. 2023, section 3.1). Large images need more
 * noise to become unrecognisable; there, images of d pixels in height are shifted by {@code d/64},
 * so that a schedule that suits 64 pixels suits them.
 *
 * @param base the schedule to shift
 * @param factor of ρ, positive and finite; 1 leaves the schedule as it is
 */
public record ShiftedSchedule(BetaSchedule base, double factor) implements BetaSchedule {

  /**
   * Checks the factor.
   *
   * @throws IllegalArgumentException if it is not positive and finite
   */
  public ShiftedSchedule {
    Objects.requireNonNull(base, "base");
    Requirements.require(
        Requirements.isPositive(factor),
        "The shift of the noise schedule is %s; it must be positive and finite.",
        factor);
  }

  /**
   * The shifted betas.
   *
   * @param timesteps T, at least 1
   * @return a new array {@code [T]}
   * @throws IllegalArgumentException if {@code base} or {@link NoiseSchedule} refuses them
   */
  @Override
  public double[] betas(int timesteps) {
    double[] alphasCumprod =
        NoiseSchedule.of(base.betas(timesteps)).values(ScheduleConstant.ALPHAS_CUMPROD);
    for (int t = 0; t < timesteps; t++) {
      double noise = factor * factor * (1 - alphasCumprod[t]);
      alphasCumprod[t] /= alphasCumprod[t] + noise;
    }
    return AlphaCumprodBetas.of(1, alphasCumprod);
  }

  @Override
  public Clipping clipping(int timesteps) {
    return base.clipping(timesteps);
  }
}
