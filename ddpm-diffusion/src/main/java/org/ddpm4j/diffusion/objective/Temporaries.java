package org.ddpm4j.diffusion.objective;

import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

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

  /**
   * A sum of batches of images, each of whose images has a factor of its own.
   *
   * @param images batches of one shape and type
   * @param factors of the images of each batch
   * @return a new array, which is no temporary one
   */
  static INDArray sum(List<INDArray> images, List<double[]> factors) {
    INDArray sum = times(images.get(0), factors.get(0));
    for (int i = 1; i < images.size(); i++) {
      INDArray summand = times(images.get(i), factors.get(i));
      sum.addi(summand);
      summand.close();
    }
    return sum;
  }

  private static INDArray times(INDArray images, double[] factors) {
    INDArray column = Nd4j.create(images.dataType(), factors.length, 1, 1, 1);
    for (int i = 0; i < factors.length; i++) {
      column.putScalar(i, factors[i]);
    }
    INDArray product = images.mul(column);
    column.close();
    return product;
  }

  /** Some of the channels of images, a view. */
  static INDArray channels(INDArray images, int first, int end) {
    return images.get(NDArrayIndex.all(), NDArrayIndex.interval(first, end));
  }

  @Override
  public void close() {
    arrays.forEach(INDArray::close);
  }
}
