package org.ddpm4j.diffusion.training;

import java.io.IOException;

/**
 * Writes a checkpoint every so many steps and after the last one.
 *
 * @param folder where to
 * @param every steps between two checkpoints, at least 1
 */
public record CheckpointListener(CheckpointFolder folder, long every) implements TrainingListener {

  /**
   * Checks the number.
   *
   * @throws IllegalArgumentException if one is out of range
   */
  public CheckpointListener {
    Ranges.require(
        every >= 1, "number of steps between checkpoints", every, "it must be at least 1");
  }

  @Override
  public void onStep(Trainer trainer, StepReport report) throws IOException {
    if (report.step() % every == 0 || report.isLast()) {
      folder.write(trainer.checkpoint(), every);
    }
  }
}
