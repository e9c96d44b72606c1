package org.ddpm4j.diffusion.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.BetaSchedule;
import org.ddpm4j.schedules.EdmSchedule;
import org.ddpm4j.schedules.FlowSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.schedules.ShiftedSchedule;
import org.ddpm4j.schedules.VarianceExplodingSchedule;
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
 * @param shift by which the noise-to-signal ratio of every timestep is multiplied, before it is
 *     rescaled (Hoogeboom et al. 2023), positive; null for none, which 1 becomes
 * @param sigmaMin the least noise-to-signal ratio, or null for the type's own; only of {@link
 *     ScheduleType#EDM} and {@link ScheduleType#VARIANCE_EXPLODING}
 * @param sigmaMax the greatest one, or null for the type's own; of the same types
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ScheduleConfig(
    @JsonProperty("type") ScheduleType type,
    @JsonProperty("timesteps") int timesteps,
    @JsonProperty("beta_start") Double betaStart,
    @JsonProperty("beta_end") Double betaEnd,
    @JsonInclude(JsonInclude.Include.NON_DEFAULT) @JsonProperty("zero_terminal_snr")
        boolean zeroTerminalSnr,
    @JsonProperty("shift") Double shift,
    @JsonProperty("sigma_min") Double sigmaMin,
    @JsonProperty("sigma_max") Double sigmaMax) {

  /** The longest chain. */
  public static final int MAX_TIMESTEPS = 1_000_000;

  /**
   * Checks by building the schedule once.
   *
   * @throws IllegalArgumentException if one is out of range or does not go with the type
   */
  public ScheduleConfig {
    Objects.requireNonNull(type, "type");
    requireTimesteps(timesteps);
    shift = shift != null && shift == 1 ? null : shift;
    BetaSchedule formula = between(type, timesteps, betaStart, betaEnd, sigmaMin, sigmaMax);
    BetaSchedule betas = betas(formula, zeroTerminalSnr, shift);
    try {
      NoiseSchedule.of(betas, timesteps);
    } catch (IllegalArgumentException e) {
      String chosen = chosen(shift, sigmaMin, sigmaMax);
      throw chosen.isEmpty()
          ? e
          : new IllegalArgumentException(
              Text.format(
                  "The schedule %s of %d timesteps goes to extremes with %s: %s",
                  type.spelling(), timesteps, chosen, e.getMessage()),
              e);
    }
  }

  /** What betas that nobody has given come of. */
  private static String chosen(Double shift, Double sigmaMin, Double sigmaMax) {
    List<String> chosen = new ArrayList<>();
    if (shift != null) {
      chosen.add("the shift " + shift);
    }
    if (sigmaMin != null) {
      chosen.add("the least ratio " + sigmaMin);
    }
    if (sigmaMax != null) {
      chosen.add("the greatest ratio " + sigmaMax);
    }
    return String.join(" and ", chosen);
  }

  /**
   * A schedule between its type's own noise-to-signal ratios.
   *
   * @param type its name
   * @param timesteps T
   * @param betaStart β to begin with
   * @param betaEnd β to end with
   * @param zeroTerminalSnr whether it is rescaled to end at ᾱ = 0
   * @param shift by which the noise-to-signal ratio of every timestep is multiplied
   * @throws IllegalArgumentException if one is out of range or does not go with the type
   */
  public ScheduleConfig(
      ScheduleType type,
      int timesteps,
      Double betaStart,
      Double betaEnd,
      boolean zeroTerminalSnr,
      Double shift) {
    this(type, timesteps, betaStart, betaEnd, zeroTerminalSnr, shift, null, null);
  }

  /**
   * A schedule that is not shifted.
   *
   * @param type its name
   * @param timesteps T
   * @param betaStart β to begin with
   * @param betaEnd β to end with
   * @param zeroTerminalSnr whether it is rescaled to end at ᾱ = 0
   * @throws IllegalArgumentException if one is out of range or does not go with the type
   */
  public ScheduleConfig(
      ScheduleType type, int timesteps, Double betaStart, Double betaEnd, boolean zeroTerminalSnr) {
    this(type, timesteps, betaStart, betaEnd, zeroTerminalSnr, null);
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
          Text.format(
              "The number of timesteps is %d; it must be from 1 to %d.", timesteps, MAX_TIMESTEPS));
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

  /** Files of before there was a {@code zero_terminal_snr}, a shift or ratios do not have them. */
  @JsonCreator
  static ScheduleConfig fromJson(
      @JsonProperty(value = "type", required = true) ScheduleType type,
      @JsonProperty(value = "timesteps", required = true) int timesteps,
      @JsonProperty("beta_start") Double betaStart,
      @JsonProperty("beta_end") Double betaEnd,
      @JsonProperty("zero_terminal_snr") Boolean zeroTerminalSnr,
      @JsonProperty("shift") Double shift,
      @JsonProperty("sigma_min") Double sigmaMin,
      @JsonProperty("sigma_max") Double sigmaMax) {
    return new ScheduleConfig(
        type,
        timesteps,
        betaStart,
        betaEnd,
        Boolean.TRUE.equals(zeroTerminalSnr),
        shift,
        sigmaMin,
        sigmaMax);
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
    int timesteps = Objects.requireNonNull(betas, "betas").length;
    if (timesteps == 0) {
      return Optional.empty();
    }
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
    return new ScheduleConfig(type, timesteps, betaStart, betaEnd, true, shift, sigmaMin, sigmaMax);
  }

  /**
   * The same schedule with other noise-to-signal ratios.
   *
   * @param newShift by which they are multiplied, compared with the schedule of that name; positive
   * @return a new configuration
   * @throws IllegalArgumentException if it is not positive and finite
   */
  public ScheduleConfig withShift(double newShift) {
    return new ScheduleConfig(
        type, timesteps, betaStart, betaEnd, zeroTerminalSnr, newShift, sigmaMin, sigmaMax);
  }

  /**
   * The same schedule between other noise-to-signal ratios.
   *
   * @param least of the first timestep, positive
   * @param greatest of the last, greater
   * @return a new configuration
   * @throws IllegalArgumentException if they are not so, or the type is given by no ratios
   */
  public ScheduleConfig withRatios(double least, double greatest) {
    return new ScheduleConfig(
        type, timesteps, betaStart, betaEnd, zeroTerminalSnr, shift, least, greatest);
  }

  /**
   * The formula of β.
   *
   * @return to be used with {@link #timesteps()}
   */
  public BetaSchedule betas() {
    return betas(
        between(type, timesteps, betaStart, betaEnd, sigmaMin, sigmaMax), zeroTerminalSnr, shift);
  }

  /**
   * Computes the schedule.
   *
   * @return its constants
   */
  public NoiseSchedule create() {
    return NoiseSchedule.of(betas(), timesteps);
  }

  private static BetaSchedule betas(BetaSchedule formula, boolean zeroTerminalSnr, Double shift) {
    BetaSchedule shifted = shifted(formula, shift);
    return zeroTerminalSnr ? new ZeroTerminalSnrSchedule(shifted) : shifted;
  }

  private static BetaSchedule between(
      ScheduleType type,
      int timesteps,
      Double betaStart,
      Double betaEnd,
      Double sigmaMin,
      Double sigmaMax) {
    BetaSchedule formula = type.betas(timesteps, betaStart, betaEnd);
    if (sigmaMin == null && sigmaMax == null) {
      return formula;
    }
    if (formula instanceof EdmSchedule edm) {
      return new EdmSchedule(
          Objects.requireNonNullElse(sigmaMin, edm.least()),
          Objects.requireNonNullElse(sigmaMax, edm.greatest()));
    }
    if (formula instanceof VarianceExplodingSchedule exploding) {
      return new VarianceExplodingSchedule(
          Objects.requireNonNullElse(sigmaMin, exploding.least()),
          Objects.requireNonNullElse(sigmaMax, exploding.greatest()));
    }
    throw new IllegalArgumentException(
        Text.format(
            "The schedule %s has no sigma_min and sigma_max to choose; edm and variance-exploding have.",
            type.spelling()));
  }

  /** By the formula's own ends where it has such, which files of diffusers can say. */
  private static BetaSchedule shifted(BetaSchedule formula, Double shift) {
    if (shift == null) {
      return formula;
    }
    ShiftedSchedule shifted = new ShiftedSchedule(formula, shift);
    if (formula instanceof FlowSchedule flow) {
      return new FlowSchedule(flow.shift() * shift);
    }
    if (formula instanceof VarianceExplodingSchedule exploding) {
      return new VarianceExplodingSchedule(exploding.least() * shift, exploding.greatest() * shift);
    }
    return formula instanceof EdmSchedule edm
        ? new EdmSchedule(edm.least() * shift, edm.greatest() * shift)
        : shifted;
  }
}
