package org.ddpm4j.diffusion.objective;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Arrays whose memory is given back together. The garbage collector, which sees only the small Java
 * objects, may wait for hours.
 */
final class Temporaries implements AutoCloseable {

  private final List<INDArray> arrays = new ArrayList<>();

  /** Takes an array, which must be no view of another, and returns it. */
  INDArray add(INDArray array) {
    arrays.add(array);
    return array;
  }

  /** The array itself if it is DOUBLE, or else a temporary copy. */
  INDArray inDouble(INDArray array) {
    return array.dataType() == DataType.DOUBLE ? array : add(array.castTo(DataType.DOUBLE));
  }

  /** The elements of an array or a view, the last axis varying fastest. */
  double[] elements(INDArray array) {
    return add(array.dup('c')).data().asDouble();
  }

  @Override
  public void close() {
    arrays.forEach(INDArray::close);
  }
}
