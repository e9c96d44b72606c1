package org.ddpm4j.cli;

import org.ddpm4j.kernels.plan.Precision;
import org.ddpm4j.unet.Execution;
import org.nd4j.linalg.api.buffer.DataType;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How this machine computes: never part of a run's configuration. */
final class ExecutionOptions {

  @Mixin private LayersOptions layers;

  @Option(
      names = "--precision",
      paramLabel = "TYPE",
      defaultValue = Defaults.PRECISION,
      description =
          "Number format of convolutions; bfloat16 needs a card or a processor with AVX512-BF16 or"
              + " AMX, tfloat32 a card: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Precision precision;

  /** What the user chose, for a network that computes in FLOAT. The console hears of a card. */
  Execution execution(Console console) {
    return layers.execution(console, DataType.FLOAT, precision);
  }

  /** As {@link #execution}, where several devices can train together. */
  Execution trainingExecution(Console console) {
    return layers.trainingExecution(console, DataType.FLOAT, precision);
  }
}
