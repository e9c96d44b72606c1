package org.ddpm4j.diffusion.diffusers;

import java.util.Objects;
import org.ddpm4j.diffusion.config.SamplerConfig;

/**
 * How a scheduler of diffusers draws images.
 *
 * @param config which sampler, and its options
 * @param clipping what is done to estimates of x0
 */
public record DiffusersSampler(SamplerConfig config, X0Clipping clipping) {

  /** Checks that nothing is missing. */
  public DiffusersSampler {
    Objects.requireNonNull(config, "config");
    Objects.requireNonNull(clipping, "clipping");
  }
}
