package org.ddpm4j.diffusion.config;

import java.util.Objects;
import org.ddpm4j.diffusion.sampling.LevelSpacing;
import org.ddpm4j.io.Text;

/**
 * How the noise levels of a run lie, and between which ratios; the ratios count unless the levels
 * are those of timesteps.
 *
 * @param spacing how they lie
 * @param least ρ of the last level at which the network is asked, diffusers' {@code sigma_min}; or
 *     null for that of a timestep
 * @param greatest ρ of the first, diffusers' {@code sigma_max}; or null for that of a timestep
 */
public record LevelRange(LevelSpacing spacing, Double least, Double greatest) {

  /**
   * Checks the range.
   *
   * @throws IllegalArgumentException if it is empty or a ratio is not positive and finite
   */
  public LevelRange {
    Objects.requireNonNull(spacing, "spacing");
    check("least", least);
    check("greatest", greatest);
    if (least != null && greatest != null && least >= greatest) {
      throw new IllegalArgumentException(
          Text.format(
              "The noise levels cannot go from %s down to %s; the first must be the greater.",
              greatest, least));
    }
  }

  private static void check(String which, Double ratio) {
    if (ratio != null && !(ratio > 0 && ratio < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          Text.format(
              "The %s noise-to-signal ratio is %s; it must be positive and finite.", which, ratio));
    }
  }

  /**
   * Between the ratios of timesteps.
   *
   * @param spacing how the levels lie
   * @return the range
   */
  public static LevelRange of(LevelSpacing spacing) {
    return new LevelRange(spacing, null, null);
  }

  /**
   * The same range with its levels elsewhere.
   *
   * @param newSpacing how they lie
   * @return the range
   */
  public LevelRange withSpacing(LevelSpacing newSpacing) {
    return new LevelRange(newSpacing, least, greatest);
  }
}
