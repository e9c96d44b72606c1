package org.ddpm4j.kernels.plan;

import java.util.Arrays;
import java.util.Locale;

/** A value in a device's memory, at an address that never changes. Does not own the memory. */
public final class Tensor {

  private final long address;
  private final long[] shape;
  private final TensorFormat format;

  /**
   * A value.
   *
   * @param address of its first element
   * @param shape its sizes; none for a scalar
   * @param format how its elements lie
   */
  public Tensor(long address, long[] shape, TensorFormat format) {
    this.address = address;
    this.shape = shape.clone();
    this.format = format;
  }

  /**
   * Floats without gaps.
   *
   * @param address of the first
   * @param shape sizes; none for a scalar
   * @return the tensor
   */
  public static Tensor dense(long address, long... shape) {
    return new Tensor(address, shape, TensorFormat.dense(shape));
  }

  /**
   * A part of a tensor of floats without gaps, in the same memory.
   *
   * @param offset where it starts, in elements
   * @param partShape its sizes
   * @return the part
   */
  public Tensor part(long offset, long... partShape) {
    if (!isDense()) {
      throw new IllegalStateException(this + " has gaps; only dense tensors have parts.");
    }
    return dense(address + offset * Float.BYTES, partShape);
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
   * Where it lies.
   *
   * @return the address of the first element, in the device's memory
   */
  public long address() {
    return address;
  }

  /** {@return a copy of the sizes} */
  public long[] shape() {
    return shape.clone();
  }

  /** {@return the number of axes, 0 for a scalar} */
  public int rank() {
    return shape.length;
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

  /** {@return the number of elements, without padding: the product of the sizes} */
  public int length() {
    return Math.toIntExact(length(shape));
  }

  /** {@return how the elements lie} */
  public TensorFormat format() {
    return format;
  }

  /** {@return the number format} */
  public ElementType type() {
    return format.type();
  }

  /**
   * The distance of rows.
   *
   * @return elements from one row of the last axis to the next
   */
  public long rowLength() {
    return format.rowLength();
  }

  /** {@return what it takes in bytes, with the padding} */
  public long bytes() {
    return format.bytes(shape);
  }

  /** {@return whether these are floats without gaps} */
  public boolean isDense() {
    return format.equals(TensorFormat.dense(shape));
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "Tensor%s %s at %x", Arrays.toString(shape), format, address);
  }
}
