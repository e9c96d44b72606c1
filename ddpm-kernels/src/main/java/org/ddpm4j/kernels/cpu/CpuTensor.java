package org.ddpm4j.kernels.cpu;

import java.nio.FloatBuffer;
import java.util.Arrays;
import org.bytedeco.javacpp.FloatPointer;
import org.ddpm4j.kernels.plan.Tensor;

/**
 * Contiguous row-major floats outside the Java heap, at an address that never changes: what kernels
 * read and write. Does not own the memory.
 */
final class CpuTensor {

  private final long[] shape;
  private final FloatPointer pointer;
  private final FloatBuffer buffer;

  private CpuTensor(long[] shape, FloatPointer pointer, FloatBuffer buffer) {
    this.shape = shape;
    this.pointer = pointer;
    this.buffer = buffer;
  }

  /** A pointer to an address. */
  private static final class Address extends FloatPointer {
    Address(long address) {
      super((org.bytedeco.javacpp.Pointer) null);
      this.address = address;
    }
  }

  /** A plan's value as CPU kernels see it. */
  static CpuTensor of(Tensor tensor) {
    return within(new Address(tensor.address()), 0, tensor.shape());
  }

  /**
   * A tensor inside a block of memory.
   *
   * @param memory the block
   * @param offset where it starts, in floats
   * @param shape its sizes; none for a scalar
   * @return the tensor
   */
  public static CpuTensor within(FloatPointer memory, long offset, long... shape) {
    long length = length(shape);
    // Not position(): oneDNN takes untyped pointers, whose positions count bytes.
    FloatPointer start = memory.getPointer(memory.position() + offset);
    start.position(0).capacity(length);
    // JavaCPP's buffer of a pointer without capacity has one element.
    FloatBuffer buffer = start.asBuffer().limit(Math.toIntExact(length));
    return new CpuTensor(shape.clone(), start, buffer);
  }

  /**
   * A part of this tensor, in the same memory.
   *
   * @param offset where it starts, in elements
   * @param partShape its sizes
   * @return the part
   */
  public CpuTensor part(long offset, long... partShape) {
    return within(pointer, offset, partShape);
  }

  /**
   * The number of elements of a shape.
   *
   * @param shape sizes
   * @return their product
   */
  public static long length(long... shape) {
    return Arrays.stream(shape).reduce(1, Math::multiplyExact);
  }

  /**
   * The sizes.
   *
   * @return a copy
   */
  public long[] shape() {
    return shape.clone();
  }

  /**
   * One size.
   *
   * @param axis zero-based
   * @return the number of elements along it
   */
  public int size(int axis) {
    return Math.toIntExact(shape[axis]);
  }

  /**
   * The number of elements.
   *
   * @return the product of the sizes
   */
  public int length() {
    return buffer.limit();
  }

  /**
   * The first element's address.
   *
   * @return a pointer to it, at position 0
   */
  public FloatPointer pointer() {
    return pointer;
  }

  /**
   * The elements.
   *
   * @return a view of all of them, for absolute access
   */
  public FloatBuffer buffer() {
    return buffer;
  }

  /**
   * Copies the values of another tensor of the same length.
   *
   * @param source the values
   */
  public void copyFrom(FloatBuffer source) {
    buffer.put(0, source, 0, length());
  }

  @Override
  public String toString() {
    return "CpuTensor" + Arrays.toString(shape);
  }
}
