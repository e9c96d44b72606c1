package org.ddpm4j.diffusion.training;

import org.ddpm4j.io.Text;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/** Turns the sequence of an iterator into a function of the step. */
final class IteratorBatchSource implements BatchSource {

  private final DataSetIterator iterator;
  private long nextStep;

  IteratorBatchSource(DataSetIterator iterator) {
    this.iterator = iterator;
  }

  @Override
  public DataSet batch(long step) {
    if (step < nextStep) {
      throw new IllegalStateException(
          Text.format(
              "Batch %d of an iterator was asked for after batch %d; iterators only go forward, so train again with a new one.",
              step, nextStep - 1));
    }
    DataSet batch;
    do {
      if (!iterator.hasNext()) {
        iterator.reset();
      }
      batch = iterator.next();
      nextStep++;
    } while (nextStep <= step);
    return batch;
  }
}
