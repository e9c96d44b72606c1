package org.ddpm4j.diffusion.training;

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
   * @return features {@code [N,C,H,W]}; labels are ignored by unconditional models
   */
  DataSet batch(long step);

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
    if (!iterator.resetSupported()) {
      throw new IllegalArgumentException(
          "%s cannot be reset; training passes over the data more than once."
              .formatted(iterator.getClass().getSimpleName()));
    }
    if (!iterator.hasNext()) {
      throw new IllegalArgumentException("The data set is empty; training needs images.");
    }
    return new IteratorBatchSource(iterator);
  }
}
