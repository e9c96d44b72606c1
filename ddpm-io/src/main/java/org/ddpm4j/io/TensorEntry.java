package org.ddpm4j.io;

import java.util.List;

/**
 * What the header says of one tensor.
 *
 * @param dtype the type of its elements
 * @param shape its dimensions, none for a scalar
 * @param begin where its bytes begin, counted from the start of the data section
 * @param end where its bytes end, exclusive
 */
record TensorEntry(SafetensorsDtype dtype, List<Long> shape, long begin, long end) {

  TensorEntry {
    shape = List.copyOf(shape);
  }

  /** The bytes of the tensor in the file, at most {@link TensorMemory#MAX_BYTES}. */
  int length() {
    return (int) (end - begin);
  }

  long[] dimensions() {
    return shape.stream().mapToLong(Long::longValue).toArray();
  }

  /**
   * The bytes that an array of this dtype and shape takes, or -1 if they exceed {@link
   * TensorMemory#MAX_BYTES}. A dimension of zero does not excuse the others: strides are computed
   * from them all.
   */
  static long bytes(SafetensorsDtype dtype, List<Long> shape) {
    long bytes = dtype.width();
    boolean empty = false;
    for (long dimension : shape) {
      empty |= dimension == 0;
      long factor = Math.max(1, dimension);
      if (factor > TensorMemory.MAX_BYTES / bytes) {
        return -1;
      }
      bytes *= factor;
    }
    return empty ? 0 : bytes;
  }
}
