package org.ddpm4j.diffusion.objective;

import com.fasterxml.jackson.annotation.JsonProperty;

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
  IMPORTANCE
}
