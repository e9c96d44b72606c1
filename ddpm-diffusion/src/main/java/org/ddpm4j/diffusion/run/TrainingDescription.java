package org.ddpm4j.diffusion.run;

import java.util.Locale;
import java.util.Objects;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.diffusion.training.TrainingConfig;

/**
 * How a run's network is trained. With the model and the data it decides the result.
 *
 * @param initialWeightsSeed of the network's first weights
 * @param config of the trainer
 * @param batches how images are drawn
 * @param checkpointEvery steps between two checkpoints, at least 1
 * @param sampleEvery steps between two grids of samples, at least 1
 */
public record TrainingDescription(
    long initialWeightsSeed,
    TrainingConfig config,
    BatchConfig batches,
    long checkpointEvery,
    long sampleEvery) {

  /**
   * How images are drawn.
   *
   * @param batchSize images per step, at least 1
   * @param shuffleSeed of order and flips
   * @param flip whether images are mirrored
   */
  public record BatchConfig(int batchSize, long shuffleSeed, HorizontalFlip flip) {

    /**
     * Checks the ranges.
     *
     * @param batchSize images per step
     * @param shuffleSeed of order and flips
     * @param flip whether images are mirrored
     * @throws IllegalArgumentException if one is out of range
     */
    public BatchConfig {
      if (batchSize < 1) {
        throw new IllegalArgumentException(
            String.format(Locale.ROOT, "The batch size is %d; it must be at least 1.", batchSize));
      }
      Objects.requireNonNull(flip, "flip");
    }
  }

  /**
   * Checks the ranges.
   *
   * @param initialWeightsSeed of the network's first weights
   * @param config of the trainer
   * @param batches how images are drawn
   * @param checkpointEvery steps between two checkpoints
   * @param sampleEvery steps between two grids of samples
   * @throws IllegalArgumentException if one is out of range
   */
  public TrainingDescription {
    Objects.requireNonNull(config, "training");
    Objects.requireNonNull(batches, "batches");
    if (checkpointEvery < 1 || sampleEvery < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "Checkpoints every %d steps and samples every %d are not possible; both must be at least 1.",
              checkpointEvery,
              sampleEvery));
    }
  }
}
