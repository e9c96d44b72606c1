package org.ddpm4j.data;

import java.util.Objects;
import org.ddpm4j.diffusion.image.Augmentation;
import org.ddpm4j.diffusion.image.HorizontalFlip;

/**
 * How an {@link ImageDataSetIterator} makes batches.
 *
 * @param batchSize the images of a batch, at least 1
 * @param seed what the order of the images, their mirroring and their changes are drawn from
 * @param flip whether images are mirrored at random
 * @param augmentation how else they are changed at random
 * @param lastBatch what becomes of the images that do not fill a batch
 * @param order in which an epoch visits the images
 */
public record BatchOptions(
    int batchSize,
    long seed,
    HorizontalFlip flip,
    Augmentation augmentation,
    LastBatch lastBatch,
    ImageOrder order) {

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if batchSize is less than 1
   */
  public BatchOptions {
    if (batchSize < 1) {
      throw new IllegalArgumentException(
          "The batch size is " + batchSize + ", but a batch needs at least one image.");
    }
    Objects.requireNonNull(flip, "flip");
    Objects.requireNonNull(augmentation, "augmentation");
    Objects.requireNonNull(lastBatch, "lastBatch");
    Objects.requireNonNull(order, "order");
  }

  /**
   * All images of each epoch in a new order, as they are; the last batch is smaller where they do
   * not fill it ({@link LastBatch#KEEP}).
   *
   * @param batchSize the images of a batch, at least 1
   * @param seed what the order of the images is drawn from
   * @return the options
   * @throws IllegalArgumentException if batchSize is less than 1
   */
  public static BatchOptions of(int batchSize, long seed) {
    return new BatchOptions(
        batchSize,
        seed,
        HorizontalFlip.NONE,
        Augmentation.NONE,
        LastBatch.KEEP,
        ImageOrder.SHUFFLED);
  }

  /**
   * As {@link #of}, with batches of one shape only ({@link LastBatch#DROP}), for which a network's
   * graph and memory are laid out once.
   *
   * @param batchSize the images of a batch, at least 1
   * @param seed what the order of the images is drawn from
   * @return the options
   * @throws IllegalArgumentException if batchSize is less than 1
   */
  public static BatchOptions forTraining(int batchSize, long seed) {
    return of(batchSize, seed).withLastBatch(LastBatch.DROP);
  }

  /**
   * All images in the data set's own order, the same in each epoch, as for measuring.
   *
   * @param batchSize the images of a batch, at least 1
   * @return the options
   * @throws IllegalArgumentException if batchSize is less than 1
   */
  public static BatchOptions unshuffled(int batchSize) {
    return of(batchSize, 0).withOrder(ImageOrder.STORED);
  }

  /**
   * These options with another mirroring.
   *
   * @param newFlip whether images are mirrored at random
   * @return the changed options
   */
  public BatchOptions withFlip(HorizontalFlip newFlip) {
    return new BatchOptions(batchSize, seed, newFlip, augmentation, lastBatch, order);
  }

  /**
   * These options with other random changes.
   *
   * @param newAugmentation how images are changed at random besides mirroring
   * @return the changed options
   */
  public BatchOptions withAugmentation(Augmentation newAugmentation) {
    return new BatchOptions(batchSize, seed, flip, newAugmentation, lastBatch, order);
  }

  /**
   * These options with another end of the epoch.
   *
   * @param newLastBatch what becomes of the images that do not fill a batch
   * @return the changed options
   */
  public BatchOptions withLastBatch(LastBatch newLastBatch) {
    return new BatchOptions(batchSize, seed, flip, augmentation, newLastBatch, order);
  }

  /**
   * These options with another order.
   *
   * @param newOrder in which an epoch visits the images
   * @return the changed options
   */
  public BatchOptions withOrder(ImageOrder newOrder) {
    return new BatchOptions(batchSize, seed, flip, augmentation, lastBatch, newOrder);
  }
}
