package org.ddpm4j.diffusion.arithmetic;

import java.util.Objects;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.INDArrayIndex;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Parts of arrays, be these parts of others themselves: ND4J M2.1 takes some parts of parts for
 * empty, as the last images of {@code images.get(interval(100, 300))}.
 */
public final class Views {

  private Views() {}

  /**
   * Some images of a batch.
   *
   * @param batch {@code [N,...]}
   * @param first of the images, 0..N-1
   * @param end after the last of them, above first and at most N
   * @return {@code [end-first,...]}; a view, or a copy where ND4J cannot make one, so that it is to
   *     be read and not written
   */
  public static INDArray images(INDArray batch, long first, long end) {
    return of(batch, NDArrayIndex.interval(first, end));
  }

  /**
   * A part that is not empty.
   *
   * @param array of any shape
   * @param indices of the part, as ND4J's {@code get} takes them
   * @return a view, or a copy where ND4J cannot make one, so that it is to be read and not written
   */
  public static INDArray of(INDArray array, INDArrayIndex... indices) {
    Objects.requireNonNull(array, "array");
    INDArray part = array.get(indices);
    return part.isEmpty() ? array.dup('c').get(indices) : part;
  }
}
