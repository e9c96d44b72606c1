package org.ddpm4j.diffusion.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.ddpm4j.schedules.BetaSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.ZeroTerminalSnrSchedule;

/**
 * Which noise schedule.
 *
 * @param type its name
 * @param timesteps T, from 1 to {@value #MAX_TIMESTEPS}
 * @param betaStart β to begin with, or null for the type's own; only for types between two ends
 * @param betaEnd β to end with, or null for the type's own; only for those and for {@link
 *     ScheduleType#CONSTANT}, whose only β it is
 * @param zeroTerminalSnr whether it is rescaled to end at ᾱ = 0 (Lin et al. 2024)
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ScheduleConfig(
    @JsonProperty("type") ScheduleType type,
    @JsonProperty("timesteps") int timesteps,
    @JsonProperty("beta_start") Double betaStart,
    @JsonProperty("beta_end") Double betaEnd,
    @JsonInclude(JsonInclude.Include.NON_DEFAULT) @JsonProperty("zero_terminal_snr")
        boolean zeroTerminalSnr) {

  /** The longest chain. */
  public static final int MAX_TIMESTEPS = 1_000_000;

  /**
   * Checks by building the schedule once.
   *
   * @param type its name
   * @param timesteps T
   * @param betaStart β to begin with
   * @param betaEnd β to end with
   * @param zeroTerminalSnr whether it is rescaled to end at ᾱ = 0
   * @throws IllegalArgumentException if one is out of range or does not go with the type
   */
  public ScheduleConfig {
    Objects.requireNonNull(type, "type");
    requireTimesteps(timesteps);
    NoiseSchedule.of(betas(type, timesteps, betaStart, betaEnd, zeroTerminalSnr), timesteps);
  }

  /**
   * Checks the length of a chain.
   *
   * @param timesteps T
   * @throws IllegalArgumentException if it is not from 1 to {@value #MAX_TIMESTEPS}
   */
  public static void requireTimesteps(int timesteps) {
    if (timesteps < 1 || timesteps > MAX_TIMESTEPS) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "The number of timesteps is %d; it must be from 1 to %d.",
              timesteps,
              MAX_TIMESTEPS));
    }
  }

  /**
   * A schedule that is not rescaled.
   *
   * @param type its name
   * @param timesteps T
   * @param betaStart β to begin with
   * @param betaEnd β to end with
   * @throws IllegalArgumentException if one is out of range or does not go with the type
   */
  public ScheduleConfig(ScheduleType type, int timesteps, Double betaStart, Double betaEnd) {
    this(type, timesteps, betaStart, betaEnd, false);
  }

  /** Files of before there was a {@code zero_terminal_snr} do not have it. */
  @JsonCreator
  static ScheduleConfig fromJson(
      @JsonProperty(value = "type", required = true) ScheduleType type,
      @JsonProperty(value = "timesteps", required = true) int timesteps,
      @JsonProperty("beta_start") Double betaStart,
      @JsonProperty("beta_end") Double betaEnd,
      @JsonProperty("zero_terminal_snr") Boolean zeroTerminalSnr) {
    return new ScheduleConfig(
        type, timesteps, betaStart, betaEnd, Boolean.TRUE.equals(zeroTerminalSnr));
  }

  /**
   * A schedule with its own constants.
   *
   * @param type its name
   * @param timesteps T
   * @return the configuration
   * @throws IllegalArgumentException if T is out of the type's range
   */
  public static ScheduleConfig of(ScheduleType type, int timesteps) {
    return new ScheduleConfig(type, timesteps, null, null);
  }

  /**
   * The schedule that makes given betas, to the last bit: one of a type's own constants, a linear
   * one or a constant.
   *
   * @param betas of all timesteps
   * @return the configuration, or empty if they are of none of these
   */
  public static Optional<ScheduleConfig> ofBetas(double... betas) {
    int timesteps = betas.length;
    double first = betas[0];
    double last = betas[timesteps - 1];
    if (first < 1 && Arrays.stream(betas).allMatch(beta -> beta == first)) {
      return Optional.of(new ScheduleConfig(ScheduleType.CONSTANT, timesteps, null, first));
    }
    return Stream.concat(
            Arrays.stream(ScheduleType.values()).flatMap(type -> possible(type, timesteps)),
            possible(() -> new ScheduleConfig(ScheduleType.LINEAR, timesteps, first, last)))
        .filter(config -> Arrays.equals(config.betas().betas(timesteps), betas))
        .findFirst();
  }

  /** With its own constants, as it is and rescaled. */
  private static Stream<ScheduleConfig> possible(ScheduleType type, int timesteps) {
    return Stream.concat(
        possible(() -> of(type, timesteps)),
        possible(() -> of(type, timesteps).withZeroTerminalSnr()));
  }

  private static Stream<ScheduleConfig> possible(Supplier<ScheduleConfig> schedule) {
    try {
      return Stream.of(schedule.get());
    } catch (IllegalArgumentException e) {
      // The chain is too short for this type.
      return Stream.empty();
    }
  }

  /**
   * The same schedule, rescaled to end at ᾱ = 0.
   *
   * @return a new configuration
   * @throws IllegalArgumentException if there is a single timestep
   */
  public ScheduleConfig withZeroTerminalSnr() {
    return new ScheduleConfig(type, timesteps, betaStart, betaEnd, true);
  }

  /**
   * The formula of β.
   *
   * @return to be used with {@link #timesteps()}
   */
  public BetaSchedule betas() {
    return betas(type, timesteps, betaStart, betaEnd, zeroTerminalSnr);
  }

  /**
   * Computes the schedule.
   *
   * @return its constants
   */
  public NoiseSchedule create() {
    return NoiseSchedule.of(betas(), timesteps);
  }

  private static BetaSchedule betas(
      ScheduleType type, int timesteps, Double betaStart, Double betaEnd, boolean zeroTerminalSnr) {
    BetaSchedule formula = type.betas(timesteps, betaStart, betaEnd);
    return zeroTerminalSnr ? new ZeroTerminalSnrSchedule(formula) : formula;
  }
}
