package org.ddpm4j.kernels;

import org.bytedeco.javacpp.FloatPointer;

/** Zeroed memory outside the Java heap, aligned for vector instructions, given back by close. */
final class FloatMemory implements AutoCloseable {

  /** A cache line, in floats; offsets in a plan are multiples of it. */
  static final int LINE = 16;

  private static final int LINE_BYTES = LINE * Float.BYTES;

  private final FloatPointer allocated;
  private final FloatPointer aligned;

  FloatMemory(long length) {
    allocated = new FloatPointer(Math.max(length, 1) + LINE);
    FloatPointer.memset(allocated, 0, allocated.capacity() * Float.BYTES);
    long misaligned = allocated.address() % LINE_BYTES;
    aligned = allocated.getPointer(misaligned == 0 ? 0 : (LINE_BYTES - misaligned) / Float.BYTES);
  }

  static long roundUp(long length) {
    return (length + LINE - 1) / LINE * LINE;
  }

  Tensor tensor(long offset, long... shape) {
    return Tensor.within(aligned, offset, shape);
  }

  @Override
  public void close() {
    allocated.close();
  }
}
