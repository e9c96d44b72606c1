package org.ddpm4j.spark.exchange;

import java.nio.ByteBuffer;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * How a flat array of float32 is cut into neighbouring slices, which differ by one number at most.
 *
 * @param length of the array
 * @param count of the slices
 */
record Slices(long length, int count) {

  Slices {
    if (length < 1 || length > Integer.MAX_VALUE / Float.BYTES || count < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "%d numbers cannot be exchanged in %d slice(s); 1 to %d numbers can, in at least one slice.",
              length, count, Integer.MAX_VALUE / Float.BYTES));
    }
  }

  private int begin(int slice) {
    return (int) (length * slice / count);
  }

  int size(int slice) {
    return begin(slice + 1) - begin(slice);
  }

  /** The memory of a slice of a whole array. */
  ByteBuffer of(INDArray whole, int slice) {
    return memory(whole, length).slice(begin(slice) * Float.BYTES, size(slice) * Float.BYTES);
  }

  /** The memory of an array that holds one slice alone. */
  ByteBuffer alone(INDArray array, int slice) {
    return memory(array, size(slice));
  }

  /**
   * Room for one slice; where there are fewer numbers than slices, for a number that nobody reads.
   */
  INDArray allocate(int slice) {
    return Nd4j.zeros(DataType.FLOAT, Math.max(1, size(slice)));
  }

  /** Room for the whole. */
  INDArray allocate() {
    return Nd4j.zeros(DataType.FLOAT, length);
  }

  private static ByteBuffer memory(INDArray array, long numbers) {
    if (array.dataType() != DataType.FLOAT || array.length() < numbers) {
      throw new IllegalArgumentException(
          Text.format(
              "%d numbers of %s were given; at least %d of FLOAT are exchanged.",
              array.length(), array.dataType(), numbers));
    }
    return array.data().asNio().limit((int) numbers * Float.BYTES);
  }
}
