package org.ddpm4j.diffusion.training;

import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Neighbouring images of a batch. */
final class Rows {

  private Rows() {}

  /** Views of some images and their labels, or the batch itself for all of them. */
  static DataSet of(DataSet batch, long first, long end) {
    return end - first == batch.numExamples()
        ? batch
        : new DataSet(rows(batch.getFeatures(), first, end), rows(batch.getLabels(), first, end));
  }

  private static INDArray rows(INDArray array, long first, long end) {
    return array == null ? null : array.get(NDArrayIndex.interval(first, end));
  }
}
