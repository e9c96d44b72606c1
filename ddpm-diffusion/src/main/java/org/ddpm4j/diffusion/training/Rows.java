package org.ddpm4j.diffusion.training;

import org.ddpm4j.diffusion.arithmetic.Views;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

/** Neighbouring images of a batch. */
final class Rows {

  private Rows() {}

  /** Views of some images and their labels, or the batch itself for all of them. */
  static DataSet of(DataSet batch, long first, long end) {
    return end - first == batch.numExamples()
        ? batch
        : new DataSet(rows(batch.getFeatures(), first, end), rows(batch.getLabels(), first, end));
  }

  /**
   * Checks that a source has given images, of which a step is to be made.
   *
   * @throws IllegalArgumentException if there are none
   */
  static DataSet requireSome(DataSet batch, long step) {
    if (batch == null || batch.getFeatures() == null || batch.numExamples() < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "The batch of step %d holds no images; a source of batches gives features [N,C,H,W] with N at least 1.",
              step));
    }
    return batch;
  }

  private static INDArray rows(INDArray array, long first, long end) {
    return array == null ? null : Views.images(array, first, end);
  }
}
