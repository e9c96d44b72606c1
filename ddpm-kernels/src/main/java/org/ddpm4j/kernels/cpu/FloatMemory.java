package org.ddpm4j.kernels.cpu;

import java.nio.FloatBuffer;
import org.bytedeco.javacpp.FloatPointer;
import org.ddpm4j.kernels.plan.DeviceMemory;

/**
 * Zeroed memory outside the Java heap, aligned for vector instructions, given back by close. No
 * {@link org.bytedeco.javacpp.PointerScope} gives it back that happens to be open, be it ours or
 * the caller's.
 */
public final class FloatMemory implements DeviceMemory {

  /** A cache line, in floats; offsets in a plan are multiples of it. */
  static final int LINE = 16;

  private static final int LINE_BYTES = LINE * Float.BYTES;

  private final FloatPointer allocated;
  private final FloatPointer aligned;

  /**
   * Zeros.
   *
   * @param length how many
   */
  public FloatMemory(long length) {
    allocated = Unscoped.make(() -> new FloatPointer(Math.max(length, 1) + LINE));
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

  /**
   * The floats, or the first of them where there are more than a buffer holds.
   *
   * @return a view, as long as this lives and is not closed
   */
  public FloatBuffer buffer() {
    long length = bytes() / Float.BYTES;
    return new FloatPointer(aligned).capacity(Math.min(length, Integer.MAX_VALUE)).asBuffer();
  }

  /** Makes them zero. */
  public void clear() {
    FloatPointer.memset(aligned, 0, bytes());
  }

  @Override
  public void close() {
    allocated.close();
  }
}
