package org.ddpm4j.schedules;

import java.util.Arrays;
import java.util.Objects;

/**
 * Another schedule, rescaled so that no signal is left in x_T (Lin et al. 2024, algorithm 1): √ᾱ is
 * shifted to end at 0 and stretched to begin where it began. β is 1 at the last timestep and
 * nowhere else.
 *
 * <p>At ᾱ_T = 0 a network that predicts ε learns nothing of x_0, and a sampler cannot recover x_0
 * from ε; predict v or x_0 with such a schedule (the paper's section 3.2).
 *
 * @param base the schedule to rescale
 */
public record ZeroTerminalSnrSchedule(BetaSchedule base) implements BetaSchedule {

  /** Checks that there is something to rescale. */
  public ZeroTerminalSnrSchedule {
    Objects.requireNonNull(base, "base");
  }

  /**
   * The rescaled betas. A schedule that ends at ᾱ_T = 0 by itself is returned as it is.
   *
   * @param timesteps T, at least 2
   * @return a new array {@code [T]} whose last β is 1
   * @throws IllegalArgumentException if T is less than 2, which leaves nothing between the first ᾱ,
   *     which is kept, and the last, which becomes 0, or if {@link NoiseSchedule} refuses the betas
   *     of {@code base}
   */
  @Override
  public double[] betas(int timesteps) {
    Requirements.require(
        timesteps >= 2,
        "The number of timesteps is %d; rescaling to zero terminal SNR keeps the first and moves the last, so it needs at least 2.",
        timesteps);
    double[] betas = base.betas(timesteps);
    double[] sqrtAlphasCumprod =
        NoiseSchedule.of(betas).values(ScheduleConstant.SQRT_ALPHAS_CUMPROD);
    double first = sqrtAlphasCumprod[0];
    double last = sqrtAlphasCumprod[timesteps - 1];
    if (last == 0) {
      return betas;
    }
    return AlphaCumprodBetas.of(
        1,
        Arrays.stream(sqrtAlphasCumprod)
            .map(root -> (root - last) * first / (first - last))
            .map(rescaled -> rescaled * rescaled)
            .toArray());
  }

  @Override
  public Clipping clipping(int timesteps) {
    return base.clipping(timesteps);
  }
}
