package org.ddpm4j.kernels.cpu;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Locale;
import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.FloatPointer;
import org.ddpm4j.kernels.plan.ElementType;
import org.ddpm4j.kernels.plan.Tensor;

/**
 * Contiguous row-major numbers outside the Java heap, at an address that never changes: what
 * kernels read and write. Floats, or bfloat16, which Java's loops cannot read. Does not own the
 * memory.
 */
final class CpuTensor {

  private final ElementType type;
  private final long[] shape;
  private final int length;
  private final FloatPointer pointer;
  private final FloatBuffer buffer;
  private final boolean isBlank;

  private CpuTensor(ElementType type, long[] shape, FloatPointer pointer, FloatBuffer buffer) {
    this(type, shape, pointer, buffer, false);
  }

  private CpuTensor(
      ElementType type, long[] shape, FloatPointer pointer, FloatBuffer buffer, boolean isBlank) {
    this.isBlank = isBlank;
    this.type = type;
    this.shape = shape;
    this.length = Math.toIntExact(length(shape));
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
    return at(new Address(tensor.address()), tensor.type(), tensor.shape());
  }

  private static CpuTensor at(FloatPointer start, ElementType type, long... shape) {
    return type == ElementType.FLOAT32
        ? within(start, 0, shape)
        : new CpuTensor(type, shape.clone(), start, null);
  }

  /** The memory of this tensor of floats, as bfloat16. */
  CpuTensor asBfloat16(long... bfloat16Shape) {
    return at(pointer, ElementType.BFLOAT16, bfloat16Shape);
  }

  /** The floats of memory that so many bfloat16 numbers take. */
  static long floatsFor(long bfloat16Length) {
    return (bfloat16Length + 1) / 2;
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
    return new CpuTensor(ElementType.FLOAT32, shape.clone(), start, buffer);
  }

  /**
   * A part of this tensor, in the same memory.
   *
   * @param offset where it starts, in elements
   * @param partShape its sizes
   * @return the part
   */
  public CpuTensor part(long offset, long... partShape) {
    return type == ElementType.FLOAT32
        ? within(pointer, offset, partShape)
        : at(new Address(pointer.address() + offset * type.bytes()), type, partShape);
  }

  /** Some of the images of a batch, from the first to the one before the end. */
  CpuTensor images(int first, int end) {
    long[] partShape = shape.clone();
    partShape[0] = end - first;
    return part(first * (length(shape) / shape[0]), partShape);
  }

  /** The same memory, which holds nothing yet: what kernels would add to it is written there. */
  CpuTensor blank() {
    return new CpuTensor(type, shape, pointer, buffer, true);
  }

  /** Whether there is nothing that could be added to. */
  boolean isBlank() {
    return isBlank;
  }

  /** The numbers' format. */
  ElementType type() {
    return type;
  }

  /** Whether these are floats, which {@link #buffer} gives. */
  boolean isFloat() {
    return type == ElementType.FLOAT32;
  }

  /** The same as oneDNN calls it. */
  memory.data_type dataType() {
    return isFloat() ? memory.data_type.f32 : memory.data_type.bf16;
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

  /** {@return a copy of the sizes} */
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

  /** {@return the number of elements: the product of the sizes} */
  public int length() {
    return length;
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
   * @throws IllegalStateException if these are not floats
   */
  public FloatBuffer buffer() {
    if (buffer == null) {
      throw notFloats();
    }
    return buffer;
  }

  /** On its own, so that what loops call stays short enough to be inlined. */
  private IllegalStateException notFloats() {
    return new IllegalStateException(this + " is read as floats.");
  }

  /**
   * Copies the values of another tensor of the same length.
   *
   * @param source the values
   */
  public void copyFrom(FloatBuffer source) {
    buffer().put(0, source, 0, length());
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "CpuTensor%s %s", Arrays.toString(shape), type);
  }
}
