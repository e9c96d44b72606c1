package org.ddpm4j.diffusion.diffusers;

import java.io.IOException;
import java.util.Objects;
import org.ddpm4j.diffusion.config.SamplerType;

/**
 * A {@code scheduler_config.json}, of which other samplers than its own can be made. It says more
 * than a {@link DiffusersScheduler}: options of other samplers, and what it leaves to a default.
 *
 * @param json the text
 * @param source where it comes from, for messages
 */
public record SchedulerFile(String json, String source) {

  /** Checks that nothing is missing. */
  public SchedulerFile {
    Objects.requireNonNull(json, "json");
    Objects.requireNonNull(source, "source");
  }

  /**
   * Makes a sampler of the file, as diffusers' {@code from_config} makes one scheduler of the file
   * of another: what the file says has effect where the other knows it.
   *
   * @param type which sampler
   * @return its options
   * @throws IllegalArgumentException if the file asks for what is not supported of it
   */
  public DiffusersSampler sampler(SamplerType type) {
    try {
      return SchedulerJson.readSampler(json, source, type);
    } catch (IOException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }
}
