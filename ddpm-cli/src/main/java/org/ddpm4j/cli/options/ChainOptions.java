package org.ddpm4j.cli.options;

import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.io.Text;
import picocli.CommandLine.Option;

/** The options of a noise schedule other than its type. */
@OptionGroup("The noise schedule")
public final class ChainOptions {

  @Option(
      names = "--timesteps",
      paramLabel = "T",
      defaultValue = Defaults.TIMESTEPS,
      description = "Length of the chain, 1 to 1000000 (default: ${DEFAULT-VALUE}).")
  private int timesteps;

  @HasEffect(decidedBy = ScheduleConfig.class)
  @Option(
      names = "--beta-start",
      paramLabel = "BETA",
      description =
          "The first beta, in (0,1); for linear, linear-scaled, quadratic and sigmoid (default:"
              + " 1e-4) and scaled-linear (0.00085).")
  private Double betaStart;

  @HasEffect(decidedBy = ScheduleConfig.class)
  @Option(
      names = "--beta-end",
      paramLabel = "BETA",
      description =
          "The last beta, in (0,1); for the same (default: 0.02; scaled-linear: 0.012), and the"
              + " only one of constant (0.02).")
  private Double betaEnd;

  @HasEffect(decidedBy = ScheduleConfig.class)
  @Option(
      names = "--zero-terminal-snr",
      description = "Rescale the schedule so that no signal is left at its end.")
  private boolean isZeroTerminalSnr;

  @HasEffect(without = "--distill", because = "whose levels of noise are those of the paper")
  @Option(
      names = "--schedule-shift",
      paramLabel = "X",
      description =
          "Multiply the noise-to-signal ratio of every timestep; simple diffusion (Hoogeboom et al."
              + " 2023) takes a 64th of the images' size (default: 1).")
  private Double shift;

  @HasEffect(
      without = "--distill",
      decidedBy = ScheduleConfig.class,
      because = "whose levels of noise are those of the paper")
  @Option(
      names = "--sigma-min",
      paramLabel = "X",
      description =
          "The least noise-to-signal ratio of edm (default: 0.002) and variance-exploding (0.01),"
              + " above 0.")
  private Double sigmaMin;

  @HasEffect(
      without = "--distill",
      decidedBy = ScheduleConfig.class,
      because = "whose levels of noise are those of the paper")
  @Option(
      names = "--sigma-max",
      paramLabel = "X",
      description =
          "The greatest one of the same (default: 80; variance-exploding: 1348), above --sigma-min;"
              + " Song and Ermon take the greatest distance between two images.")
  private Double sigmaMax;

  /** Nothing chosen yet; picocli sets the fields. */
  public ChainOptions() {}

  /**
   * The schedule that the user chose.
   *
   * @param type of the schedule
   * @return a schedule whose options go with its type
   * @throws BadInputException if they do not
   */
  public ScheduleConfig config(ScheduleType type) {
    return BadInputException.check(
        () ->
            new ScheduleConfig(
                type, timesteps, betaStart, betaEnd, isZeroTerminalSnr, shift, sigmaMin, sigmaMax));
  }

  /**
   * A schedule in a few words.
   *
   * @param config of the schedule
   * @return its type and what it was told
   */
  public static String describe(ScheduleConfig config) {
    return Text.format(
        "%s, T = %d%s%s%s%s",
        EnumConverter.spelling(config.type()),
        config.timesteps(),
        config.sigmaMin() == null ? "" : ", sigma from " + config.sigmaMin(),
        config.sigmaMax() == null
            ? ""
            : (config.sigmaMin() == null ? ", sigma to " : " to ") + config.sigmaMax(),
        config.zeroTerminalSnr() ? ", zero terminal SNR" : "",
        config.shift() == null ? "" : ", shift " + config.shift());
  }
}
