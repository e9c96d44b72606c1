package org.ddpm4j.cli.options;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.cli.options.HasEffect.Fact;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.diffusion.run.TrainedWeights;
import org.ddpm4j.unet.Execution;
import picocli.CommandLine.Option;

/** Which weights of a run. */
@OptionGroup("The model")
public final class WeightsOptions {

  @Option(
      names = "--weights",
      paramLabel = "NAME",
      description =
          "The run's or the checkpoint's moving average or its last weights:"
              + " ${COMPLETION-CANDIDATES} (default: "
              + Defaults.WEIGHTS
              + ").")
  private TrainedWeights weights;

  @HasEffect(
      without = "--weights",
      unless = Fact.CHECKPOINT,
      because = "which names the weights otherwise")
  @Option(
      names = "--ema",
      paramLabel = "X",
      description =
          "The run's moving average of this decay, where it was trained with several (default: the"
              + " first of its --ema-decay).")
  private Double ema;

  @HasEffect(unless = Fact.CHECKPOINT)
  @Option(
      names = "--checkpoint",
      paramLabel = "FILE",
      description = "Which checkpoint of the run (default: the newest).")
  private Path checkpoint;

  /** Nothing chosen yet; picocli sets the fields. */
  public WeightsOptions() {}

  /**
   * Which weights the user chose.
   *
   * @return empty for the moving average where there is one
   */
  public Optional<TrainedWeights> chosen() {
    return Optional.ofNullable(weights);
  }

  /**
   * The run's model with the weights that the user chose.
   *
   * @param folder of the run
   * @param execution how to compute
   * @return the model
   * @throws IOException if its files cannot be read
   */
  public DiffusionModel read(Path folder, Execution execution) throws IOException {
    RunFolder run = RunFolder.open(folder);
    if (ema != null) {
      return DiffusionModel.ofRun(run, ema, Optional.ofNullable(checkpoint), execution);
    }
    if (weights != null && checkpoint == null && run.hasAverageOnly()) {
      throw new BadInputException(
          "The run %s has no checkpoints but only the moving average of its weights; leave out --weights.",
          folder);
    }
    return DiffusionModel.ofRun(
        run,
        Objects.requireNonNullElse(weights, TrainedWeights.EMA),
        Optional.ofNullable(checkpoint),
        execution);
  }
}
