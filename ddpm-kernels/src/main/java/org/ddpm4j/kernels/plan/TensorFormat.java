package org.ddpm4j.kernels.plan;

/**
 * How the elements of a value lie in memory: row-major, the last axis padded.
 *
 * @param type of the elements
 * @param rowLength elements from one row of the last axis to the next
 */
public record TensorFormat(ElementType type, long rowLength) {

  /**
   * Floats without gaps.
   *
   * @param shape sizes; none for a scalar
   * @return the format
   */
  public static TensorFormat dense(long... shape) {
    return new TensorFormat(ElementType.FLOAT32, shape.length == 0 ? 1 : shape[shape.length - 1]);
  }

  /**
   * What a value takes.
   *
   * @param shape its sizes
   * @return bytes, with the padding
   */
  public long bytes(long... shape) {
    long rows = 1;
    for (int i = 0; i + 1 < shape.length; i++) {
      rows = Math.multiplyExact(rows, shape[i]);
    }
    return Math.multiplyExact(rows, rowLength) * type.bytes();
  }
}
