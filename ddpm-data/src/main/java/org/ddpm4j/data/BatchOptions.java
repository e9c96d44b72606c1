package org.ddpm4j.data;

import java.util.Objects;
import org.ddpm4j.diffusion.image.HorizontalFlip;

/**
 * How an {@link ImageDataSetIterator} makes batches.
 *
 * @param batchSize the images of a batch, at least 1
 * @param seed what the order of the images and their mirroring are drawn from
 * @param flip whether images are mirrored at random
 * @param lastBatch what becomes of the images that do not fill a batch
 */
public record BatchOptions(int batchSize, long seed, HorizontalFlip flip, LastBatch lastBatch) {

  /**
   * Checks the values.
   *
   * @param batchSize the images of a batch, at least 1
   * @param seed what the order of the images and their mirroring are drawn from
   * @param flip whether images are mirrored at random
   * @param lastBatch what becomes of the images that do not fill a batch
   * @throws IllegalArgumentException if batchSize is less than 1
   */
  public BatchOptions {
    if (batchSize < 1) {
      throw new IllegalArgumentException(
          "The batch size is " + batchSize + ", but a batch needs at least one image.");
    }
    Objects.requireNonNull(flip, "flip");
    Objects.requireNonNull(lastBatch, "lastBatch");
  }

  /**
   * Options for training: no mirroring, and batches of one shape only ({@link LastBatch#DROP}).
   *
   * @param batchSize the images of a batch, at least 1
   * @param seed what the order of the images is drawn from
   * @return the options
   * @throws IllegalArgumentException if batchSize is less than 1
   */
  public static BatchOptions of(int batchSize, long seed) {
    return new BatchOptions(batchSize, seed, HorizontalFlip.NONE, LastBatch.DROP);
  }

  /**
   * These options with another mirroring.
   *
   * @param newFlip whether images are mirrored at random
   * @return the changed options
   */
  public BatchOptions withFlip(HorizontalFlip newFlip) {
    return new BatchOptions(batchSize, seed, newFlip, lastBatch);
  }

  /**
   * These options with another end of the epoch.
   *
   * @param newLastBatch what becomes of the images that do not fill a batch
   * @return the changed options
   */
  public BatchOptions withLastBatch(LastBatch newLastBatch) {
    return new BatchOptions(batchSize, seed, flip, newLastBatch);
  }
}
