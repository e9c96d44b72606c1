package org.ddpm4j.cli;

import org.ddpm4j.diffusion.run.ScheduleConfig;
import org.ddpm4j.diffusion.run.ScheduleType;
import picocli.CommandLine.Option;

/** The options of a noise schedule other than its type. */
final class ChainOptions {

  @Option(
      names = "--timesteps",
      paramLabel = "T",
      defaultValue = Defaults.TIMESTEPS,
      description = "Length of the chain, 1 to 1000000 (default: ${DEFAULT-VALUE}).")
  private int timesteps;

  @Option(
      names = "--beta-start",
      paramLabel = "BETA",
      description = "The first beta, in (0,1); only for linear (default: 1e-4).")
  private Double betaStart;

  @Option(
      names = "--beta-end",
      paramLabel = "BETA",
      description = "The last beta, in (0,1); only for linear (default: 0.02).")
  private Double betaEnd;

  /** The schedule that the user chose. */
  ScheduleConfig config(ScheduleType type) {
    return BadInputException.check(() -> new ScheduleConfig(type, timesteps, betaStart, betaEnd));
  }
}
