package org.ddpm4j.kernels.cpu;

import org.bytedeco.javacpp.FloatPointer;
import org.ddpm4j.kernels.plan.DeviceMemory;

/** Zeroed memory outside the Java heap, aligned for vector instructions, given back by close. */
final class FloatMemory implements DeviceMemory {

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

  CpuTensor tensor(long offset, long... shape) {
    return CpuTensor.within(aligned, offset, shape);
  }

  @Override
  public long address() {
    return aligned.address();
  }

  @Override
  public long bytes() {
    return (allocated.capacity() - LINE) * Float.BYTES;
  }

  /** Outlives the plan that is being compiled, until {@link #release}. */
  void retain() {
    allocated.retainReference();
  }

  void release() {
    allocated.releaseReference();
  }

  @Override
  public void close() {
    allocated.close();
  }
}
