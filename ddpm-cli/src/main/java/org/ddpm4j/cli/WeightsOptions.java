package org.ddpm4j.cli;

import java.io.IOException;
import java.nio.file.Path;
import org.ddpm4j.unet.Execution;
import picocli.CommandLine.Option;

/** Which weights of a run. */
final class WeightsOptions {

  @Option(
      names = "--weights",
      paramLabel = "NAME",
      converter = Names.Weights.class,
      completionCandidates = Names.Weights.class,
      description =
          "The run's moving average or its last weights: ${COMPLETION-CANDIDATES} (default: "
              + Defaults.WEIGHTS
              + ").")
  private TrainedRun.Weights weights;

  @Option(
      names = "--checkpoint",
      paramLabel = "FILE",
      description = "Which checkpoint of the run (default: the newest).")
  private Path checkpoint;

  /** The run with the weights that the user chose. */
  TrainedRun read(Path run, Execution execution) throws IOException {
    return TrainedRun.read(run, checkpoint, weights, execution);
  }
}
