package org.ddpm4j.diffusion.objective;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Locale;

/** How timesteps are drawn for training. */
public enum TimestepSampling {
  /** All are equally likely. */
  @JsonProperty("uniform")
  UNIFORM,
  /**
   * In proportion to the root mean square of their latest losses, with weights that keep the mean
   * what it is (Nichol and Dhariwal 2021, eq. 18).
   */
  @JsonProperty("importance")
  IMPORTANCE,
  /**
   * So that the noise-to-signal ratio is log-normal, with mean -1.2 and deviation 1.2 of its
   * logarithm (Karras et al. 2022, table 1): what matters is between little noise and much. Losses
   * have no weights.
   */
  @JsonProperty("log-normal")
  LOG_NORMAL;

  /**
   * {@return the name on the command line, in files and in messages, for instance {@code
   * log-normal}}
   */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
