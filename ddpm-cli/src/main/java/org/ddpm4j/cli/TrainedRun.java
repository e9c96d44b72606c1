package org.ddpm4j.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.diffusion.training.Checkpoint;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.nd4j.linalg.api.buffer.DataType;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/**
 * The network of a run, to be used.
 *
 * @param unet with the chosen weights
 * @param config of the run
 */
record TrainedRun(Unet unet, RunConfig config) {

  enum Weights {
    /** The moving average. */
    EMA,
    /** As they were after the last step. */
    MODEL
  }

  /**
   * The folder of a run: the chosen one, or else that of the run that was trained beforehand, whose
   * place the launcher says.
   *
   * @param chosen by the user, or null
   * @param command that needs it
   * @param missing which options would have named one
   */
  static Path folder(Path chosen, CommandSpec command, String missing) {
    if (chosen != null) {
      return chosen;
    }
    String home = System.getProperty("ddpm.home");
    if (home == null) {
      throw new ParameterException(command.commandLine(), "Missing option: " + missing);
    }
    return Path.of(home, "models", "fashion-mnist");
  }

  /**
   * Reads the network.
   *
   * @param folder of the run
   * @param checkpoint which one, or null for the newest
   * @param weights which ones, or null for the moving average
   * @param execution how the network computes
   */
  static TrainedRun read(Path folder, Path checkpoint, Weights weights, Execution execution)
      throws IOException {
    RunFolder run = RunFolder.open(folder);
    RunConfig config = run.readConfig();
    if (checkpoint == null && run.checkpoints().all().isEmpty() && Files.exists(run.unet())) {
      if (weights != null) {
        throw new BadInputException(
            "The run %s has no checkpoints but only the moving average of its weights; leave out --weights."
                .formatted(folder));
      }
      return new TrainedRun(UnetFolder.read(run.unet(), DataType.FLOAT, execution), config);
    }
    Unet unet = Unet.create(config.model(), DataType.FLOAT, config.initialWeightsSeed(), execution);
    Checkpoint state =
        checkpoint == null
            ? run.readLatestCheckpoint(unet.parameters())
            : Checkpoint.read(checkpoint, unet.parameters());
    unet.parameters().assign(weights == Weights.MODEL ? state.weights() : state.ema());
    return new TrainedRun(unet, config);
  }
}
