package org.ddpm4j.diffusion.training;

import java.util.Objects;
import java.util.Optional;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * Where training gets its images from: the batch of a step as a function of the step, which is all
 * that resuming needs.
 */
@FunctionalInterface
public interface BatchSource {

  /**
   * The batch of a step.
   *
   * @param step zero-based, counting on over epochs
   * @return features {@code [N,C,H,W]}, N at least 1; labels are ignored by unconditional models
   */
  DataSet batch(long step);

  /**
   * Part of a batch.
   *
   * @param images of it, if there are any
   * @param first place of the first of them in the batch
   * @param total images in the whole batch
   */
  record Shard(Optional<DataSet> images, long first, long total) {

    /**
     * Checks that nothing is missing.
     *
     * @throws NullPointerException if the images are null
     */
    public Shard {
      Objects.requireNonNull(images, "images");
    }

    /** {@return the number of images, 0 to total} */
    public int size() {
      return images.map(DataSet::numExamples).orElse(0);
    }

    /**
     * Where a shard begins, and the one before it ends.
     *
     * @param total images in the batch
     * @param shard 0..shards; at the last there is no shard but the end
     * @param shards into how many the batch is cut
     * @return the place of its first image
     * @throws IllegalArgumentException if there is no such shard
     */
    public static long begin(long total, int shard, int shards) {
      if (shard < 0 || shards < 1 || shard > shards) {
        throw new IllegalArgumentException(
            Text.format("There is no shard %d of %d; shards are counted from 0.", shard, shards));
      }
      return total * shard / shards;
    }
  }

  /**
   * Part of the batch of a step, for those who share it out. Sources that can make a part without
   * the rest do better than this, which cuts the whole.
   *
   * @param step zero-based, counting on over epochs
   * @param shard its number, 0..shards-1
   * @param shards into how many neighbouring parts of about the same size the batch is cut
   * @return the part
   * @throws IllegalArgumentException if there is no such shard, or the batch has no images
   */
  default Shard shard(long step, int shard, int shards) {
    DataSet batch = Rows.requireSome(batch(step), step);
    long total = batch.numExamples();
    long first = Shard.begin(total, shard, shards);
    long end = Shard.begin(total, shard + 1, shards);
    return new Shard(
        end > first ? Optional.of(Rows.of(batch, first, end)) : Optional.empty(), first, total);
  }

  /**
   * The batches of an iterator, one epoch after the other. An iterator knows no steps: to resume at
   * step s, the first s batches are drawn and dropped, so it must give the same sequence whenever
   * it is made anew.
   *
   * @param iterator resettable and at its beginning
   * @return its batches, to be asked for in rising order from one thread
   * @throws IllegalArgumentException if the iterator cannot be reset or is empty
   */
  static BatchSource of(DataSetIterator iterator) {
    Objects.requireNonNull(iterator, "iterator");
    if (!iterator.resetSupported()) {
      throw new IllegalArgumentException(
          Text.format(
              "%s cannot be reset; training passes over the data more than once.",
              iterator.getClass().getSimpleName()));
    }
    if (!iterator.hasNext()) {
      throw new IllegalArgumentException("The data set is empty; training needs images.");
    }
    return new IteratorBatchSource(iterator);
  }
}
