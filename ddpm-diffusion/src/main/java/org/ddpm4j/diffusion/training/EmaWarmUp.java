package org.ddpm4j.diffusion.training;

import com.fasterxml.jackson.annotation.JsonProperty;
import org.ddpm4j.io.Text;

/**
 * The decay of the moving average rises as {@code 1 - (1 + s/γ⁻¹)^-power} after s steps: diffusers'
 * {@code EMAModel} with {@code use_ema_warmup}. A power of 2/3 suits trainings of a million steps
 * (0.999 after 31,600), 3/4 shorter ones (0.999 after 10,000).
 *
 * @param power how fast it rises, in (0,1]; diffusers' {@code power}
 * @param inverseGamma the steps in which it begins to rise, above 0; diffusers' {@code inv_gamma}
 */
public record EmaWarmUp(
    @JsonProperty(value = "power", required = true) double power,
    @JsonProperty(value = "inverse_gamma", required = true) double inverseGamma) {

  /** Of diffusers' examples. */
  public static final double DEFAULT_INVERSE_GAMMA = 1;

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if one is out of its range
   */
  public EmaWarmUp {
    if (!(power > 0 && power <= 1)) {
      throw new IllegalArgumentException(
          Text.format("The power of the EMA warm-up is %s; it must be in (0,1].", power));
    }
    if (!(inverseGamma > 0 && inverseGamma < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          Text.format(
              "The inverse gamma of the EMA warm-up is %s; it must be above 0 and finite.",
              inverseGamma));
    }
  }

  /**
   * The decay.
   *
   * @param step how many steps were done before, at least 0
   * @return from 0 towards 1
   */
  public double decay(long step) {
    return 1 - Math.pow(1 + step / inverseGamma, -power);
  }
}
