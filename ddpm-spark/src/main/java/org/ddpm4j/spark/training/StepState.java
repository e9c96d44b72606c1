package org.ddpm4j.spark.training;

import java.io.Serializable;
import java.util.Optional;
import org.ddpm4j.diffusion.objective.ImportanceTimesteps;

/**
 * What a step begins with beside the weights, the same for all shards.
 *
 * @param step zero-based
 * @param timestepLosses what importance sampling has learned; null where timesteps are not drawn so
 * @param timestepCounts likewise
 */
record StepState(long step, double[] timestepLosses, int[] timestepCounts) implements Serializable {
  private static final long serialVersionUID = 1L;

  static StepState of(long step, Optional<ImportanceTimesteps.State> learned) {
    return new StepState(
        step,
        learned.map(ImportanceTimesteps.State::losses).orElse(null),
        learned.map(ImportanceTimesteps.State::counts).orElse(null));
  }

  Optional<ImportanceTimesteps.State> learned() {
    return timestepLosses == null
        ? Optional.empty()
        : Optional.of(new ImportanceTimesteps.State(timestepLosses, timestepCounts));
  }
}
