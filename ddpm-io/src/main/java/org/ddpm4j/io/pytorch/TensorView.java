package org.ddpm4j.io.pytorch;

/**
 * A tensor as PyTorch describes it: elements of a storage, a stride for each dimension. Checked to
 * lie within the storage.
 *
 * @param storage whose elements it has
 * @param dtype of the elements
 * @param offset of the first element, in elements
 * @param shape its dimensions
 * @param strides in elements, at least 0 each
 */
record TensorView(
    StorageReference storage, TorchDtype dtype, long offset, long[] shape, long[] strides) {

  /** The number of elements. */
  long length() {
    long length = 1;
    for (long dimension : shape) {
      length *= dimension;
    }
    return length;
  }

  /**
   * The elements of the storage from the first to the last that the tensor has; 0 if it is empty.
   */
  long span() {
    return span(shape, strides);
  }

  /**
   * As {@link #span()}.
   *
   * @throws ArithmeticException if it is no long
   */
  static long span(long[] shape, long[] strides) {
    long last = 0;
    for (int i = 0; i < shape.length; i++) {
      if (shape[i] == 0) {
        return 0;
      }
      last = Math.addExact(last, Math.multiplyExact(shape[i] - 1, strides[i]));
    }
    return Math.addExact(last, 1);
  }

  /** Whether its elements lie in the storage as they do in an array in 'c' order. */
  boolean isContiguous() {
    long expected = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      if (shape[i] != 1 && strides[i] != expected) {
        return false;
      }
      expected *= shape[i];
    }
    return true;
  }
}
