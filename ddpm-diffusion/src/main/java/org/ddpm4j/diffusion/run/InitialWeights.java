package org.ddpm4j.diffusion.run;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Objects;

/**
 * The trained network that a run began with, in place of weights drawn by a seed.
 *
 * @param source where it came from, in words
 * @param fingerprint of its weights
 */
public record InitialWeights(
    @JsonProperty(value = "source", required = true) String source,
    @JsonProperty(value = "fingerprint", required = true) String fingerprint) {

  /** Checks that nothing is missing. */
  public InitialWeights {
    Objects.requireNonNull(source, "source");
    Objects.requireNonNull(fingerprint, "fingerprint");
  }
}
