package org.ddpm4j.diffusion.run;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.ddpm4j.diffusion.image.Augmentation;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.io.Text;

/**
 * How a run's network is trained. With the model and the data it decides the result.
 *
 * @param initialWeightsSeed of the network's first weights, or of those that {@code initialWeights}
 *     do not have
 * @param initialWeights the trained network that the run began with, if it did
 * @param config of the trainer
 * @param batches how images are drawn
 * @param checkpointEvery steps between two checkpoints, at least 1
 * @param sampleEvery steps between two grids of samples, at least 1
 * @param sampleSteps denoising steps of each grid, at least 1; empty for the usual number, also in
 *     runs of before it was kept
 * @param earlierSteps the lengths that the run had before it was extended, in their order
 */
public record TrainingDescription(
    long initialWeightsSeed,
    Optional<InitialWeights> initialWeights,
    TrainingConfig config,
    BatchConfig batches,
    long checkpointEvery,
    long sampleEvery,
    OptionalInt sampleSteps,
    List<Long> earlierSteps) {

  /**
   * How images are drawn.
   *
   * @param batchSize images per step, at least 1
   * @param shuffleSeed of order, flips and other changes
   * @param flip whether images are mirrored
   * @param augmentation how else images are changed; null for not at all, as in runs of before it
   *     was known
   */
  public record BatchConfig(
      int batchSize,
      long shuffleSeed,
      HorizontalFlip flip,
      @JsonInclude(JsonInclude.Include.NON_NULL) Augmentation augmentation) {

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public BatchConfig {
      if (batchSize < 1) {
        throw new IllegalArgumentException(
            Text.format("The batch size is %d; it must be at least 1.", batchSize));
      }
      Objects.requireNonNull(flip, "flip");
      if (augmentation != null && augmentation.isNone()) {
        augmentation = null;
      }
    }

    /**
     * Of images that are mirrored at most.
     *
     * @param batchSize images per step
     * @param shuffleSeed of order and flips
     * @param flip whether images are mirrored
     * @throws IllegalArgumentException if one is out of range
     */
    public BatchConfig(int batchSize, long shuffleSeed, HorizontalFlip flip) {
      this(batchSize, shuffleSeed, flip, null);
    }

    /**
     * How images are changed, none included.
     *
     * @return never null
     */
    public Augmentation augmentationOrNone() {
      return Objects.requireNonNullElse(augmentation, Augmentation.NONE);
    }
  }

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if one is out of range
   */
  public TrainingDescription {
    Objects.requireNonNull(earlierSteps, "earlierSteps");
    Objects.requireNonNull(sampleSteps, "sampleSteps");
    Objects.requireNonNull(initialWeights, "initialWeights");
    Objects.requireNonNull(config, "training");
    Objects.requireNonNull(batches, "batches");
    earlierSteps = List.copyOf(earlierSteps);
    if (checkpointEvery < 1 || sampleEvery < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "Checkpoints every %d step(s) and samples every %d are not possible; both must be at least 1.",
              checkpointEvery, sampleEvery));
    }
    if (sampleSteps.orElse(1) < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "Samples of %d denoising steps are not possible; it must be at least 1.",
              sampleSteps.getAsInt()));
    }
  }

  /**
   * Of a run that begins with weights of a seed and draws its samples in the usual number of steps.
   *
   * @param initialWeightsSeed of the network's first weights
   * @param config of the trainer
   * @param batches how images are drawn
   * @param checkpointEvery steps between two checkpoints
   * @param sampleEvery steps between two grids of samples
   * @throws IllegalArgumentException if one is out of range
   */
  public TrainingDescription(
      long initialWeightsSeed,
      TrainingConfig config,
      BatchConfig batches,
      long checkpointEvery,
      long sampleEvery) {
    this(
        initialWeightsSeed,
        Optional.empty(),
        config,
        batches,
        checkpointEvery,
        sampleEvery,
        OptionalInt.empty(),
        List.of());
  }

  /**
   * The same with another number of denoising steps.
   *
   * @param steps of each grid of samples, at least 1
   * @return a new description
   */
  public TrainingDescription withSampleSteps(int steps) {
    return new TrainingDescription(
        initialWeightsSeed,
        initialWeights,
        config,
        batches,
        checkpointEvery,
        sampleEvery,
        OptionalInt.of(steps),
        earlierSteps);
  }

  /**
   * The same that begins with a trained network.
   *
   * @param from where its weights are from
   * @return a new description
   */
  public TrainingDescription withInitialWeights(InitialWeights from) {
    return new TrainingDescription(
        initialWeightsSeed,
        Optional.of(from),
        config,
        batches,
        checkpointEvery,
        sampleEvery,
        sampleSteps,
        earlierSteps);
  }

  /**
   * The same that ends at another step. The length that it had is kept among the {@code
   * earlierSteps}, because a learning rate that falls has fallen by it.
   *
   * @param steps of the whole training, at least 1
   * @return a new description; this one if it is as long
   */
  public TrainingDescription extendedTo(long steps) {
    if (steps == config.steps()) {
      return this;
    }
    List<Long> before = new ArrayList<>(earlierSteps);
    before.add(config.steps());
    return new TrainingDescription(
        initialWeightsSeed,
        initialWeights,
        config.withSteps(steps),
        batches,
        checkpointEvery,
        sampleEvery,
        sampleSteps,
        before);
  }
}
