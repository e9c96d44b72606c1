package org.ddpm4j.cli.options;

import java.util.Objects;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.kernels.plan.Devices;
import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.Execution;
import org.nd4j.linalg.api.buffer.DataType;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How this machine computes: never part of a run's configuration. */
@OptionGroup("How the machine computes")
public final class ExecutionOptions {

  @Mixin private LayersOptions layers;

  @HasEffect(decidedBy = Execution.class)
  @Option(
      names = "--precision",
      paramLabel = "TYPE",
      description =
          "Number format of convolutions; bfloat16 needs a card or a processor with AVX512-BF16 or"
              + " AMX, tfloat32 a card: ${COMPLETION-CANDIDATES} (default: float32; to train on an"
              + " NVIDIA card bfloat16).")
  private Precision precision;

  /** Nothing chosen yet; picocli sets the fields. */
  public ExecutionOptions() {}

  /**
   * What the user chose, for a network that computes in FLOAT. The console hears of a card.
   *
   * @param console that is told
   * @return how to compute
   * @throws BadInputException if this machine cannot
   */
  public Execution execution(Console console) {
    return layers.execution(
        console, DataType.FLOAT, Objects.requireNonNullElse(precision, Precision.FLOAT32));
  }

  /**
   * As {@link #execution}, for training: several devices can do so together, and cards do so in a
   * precision of their own if the user chose none.
   *
   * @param console that is told
   * @return how to compute
   * @throws BadInputException if this machine cannot
   */
  public Execution trainingExecution(Console console) {
    Execution execution =
        layers.trainingExecution(
            console, DataType.FLOAT, Objects.requireNonNullElse(precision, Precision.FLOAT32));
    if (precision != null || !execution.isFused(DataType.FLOAT)) {
      return execution;
    }
    Precision own = Devices.trainingPrecision(execution.resolvedDevice());
    if (own == execution.precision()) {
      return execution;
    }
    console.note("precision: %s; --precision float32 is slower and more exact", own);
    return new Execution(execution.layers(), own, execution.threads(), execution.devices());
  }
}
