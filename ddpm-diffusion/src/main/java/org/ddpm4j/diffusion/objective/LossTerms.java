package org.ddpm4j.diffusion.objective;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Locale;

/** Of what the training loss is made. */
public enum LossTerms {
  /** The weighted error of the prediction (Ho et al. 2020, eq. 14). */
  @JsonProperty("simple")
  SIMPLE,
  /**
   * The same plus 0.001 times the variational bound, of which only the learned variance hears
   * (Nichol and Dhariwal 2021, eq. 16).
   */
  @JsonProperty("hybrid")
  HYBRID,
  /** The variational bound, in bits per dimension (Ho et al. 2020, eq. 5). */
  @JsonProperty("vlb")
  VLB;

  /**
   * {@return the name on the command line, in files and in messages, for instance {@code simple}}
   */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
