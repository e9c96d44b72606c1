package org.ddpm4j.diffusion.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Objects;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;

/**
 * Which noise schedule.
 *
 * @param type its name
 * @param timesteps T, from 1 to {@value #MAX_TIMESTEPS}
 * @param betaStart β of the first timestep, or null for the type's own; only for {@link
 *     ScheduleType#LINEAR}
 * @param betaEnd β of the last timestep, or null for the type's own; only for {@link
 *     ScheduleType#LINEAR}
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ScheduleConfig(
    @JsonProperty(value = "type", required = true) ScheduleType type,
    @JsonProperty(value = "timesteps", required = true) int timesteps,
    @JsonProperty("beta_start") Double betaStart,
    @JsonProperty("beta_end") Double betaEnd) {

  /** The longest chain. */
  public static final int MAX_TIMESTEPS = 1_000_000;

  /**
   * Checks by building the schedule once.
   *
   * @param type its name
   * @param timesteps T
   * @param betaStart β of the first timestep
   * @param betaEnd β of the last timestep
   * @throws IllegalArgumentException if one is out of range
   */
  public ScheduleConfig {
    Objects.requireNonNull(type, "type");
    if (timesteps < 1 || timesteps > MAX_TIMESTEPS) {
      throw new IllegalArgumentException(
          "The number of timesteps is %d; it must be from 1 to %d."
              .formatted(timesteps, MAX_TIMESTEPS));
    }
    if (type != ScheduleType.LINEAR && (betaStart != null || betaEnd != null)) {
      throw new IllegalArgumentException(
          "The schedule %s has no beta start and end of its own to choose; only linear has."
              .formatted(type));
    }
    create(type, timesteps, betaStart, betaEnd);
  }

  /**
   * A schedule with its own constants.
   *
   * @param type its name
   * @param timesteps T
   * @return the configuration
   */
  public static ScheduleConfig of(ScheduleType type, int timesteps) {
    return new ScheduleConfig(type, timesteps, null, null);
  }

  /**
   * Computes the schedule.
   *
   * @return its constants
   */
  public NoiseSchedule create() {
    return create(type, timesteps, betaStart, betaEnd);
  }

  private static NoiseSchedule create(
      ScheduleType type, int timesteps, Double betaStart, Double betaEnd) {
    if (betaStart == null && betaEnd == null) {
      return NoiseSchedule.of(type.betas(timesteps), timesteps);
    }
    LinearSchedule defaults = LinearSchedule.paper();
    return NoiseSchedule.of(
        new LinearSchedule(
            Objects.requireNonNullElse(betaStart, defaults.betaStart()),
            Objects.requireNonNullElse(betaEnd, defaults.betaEnd())),
        timesteps);
  }
}
