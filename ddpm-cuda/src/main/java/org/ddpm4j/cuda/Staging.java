package org.ddpm4j.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Pinned memory through which floats go to a card and come back: the card copies it at the full
 * rate of the bus, and while the host goes on.
 */
final class Staging implements AutoCloseable {

  private static final int MOST_BYTES = 8 << 20;
  private static final int LEAST_BYTES = 64 << 10;

  private final CudaDriver driver;
  private ByteBuffer memory;

  /** What the card may still have to read, from the beginning. */
  private int used;

  Staging(CudaDriver driver) {
    this.driver = driver;
  }

  private ByteBuffer room(int bytes) {
    if (memory == null || used + bytes > memory.capacity()) {
      driver.synchronize();
      used = 0;
      grow(bytes);
    }
    ByteBuffer room = memory.duplicate().position(used).limit(used + bytes).slice();
    used += (bytes + CudaContext.ALIGNMENT - 1) / CudaContext.ALIGNMENT * CudaContext.ALIGNMENT;
    return room.order(ByteOrder.nativeOrder());
  }

  /** Room for several copies of this size, within reason. */
  private void grow(int bytes) {
    int wanted = (int) Math.max(LEAST_BYTES, Math.min(MOST_BYTES, 4L * bytes));
    if (memory == null || memory.capacity() < wanted) {
      close();
      memory = driver.allocateHost(wanted).order(ByteOrder.nativeOrder());
    }
  }

  /** Copies so many floats, of which the host may write to those given as soon as it returns. */
  void upload(FloatBuffer from, long to, int floats) {
    for (int done = 0; done < floats; ) {
      int count = Math.min(floats - done, MOST_BYTES / Float.BYTES);
      ByteBuffer room = room(count * Float.BYTES);
      room.asFloatBuffer().put(0, from, from.position() + done, count);
      driver.uploadLater(room, to + (long) done * Float.BYTES);
      done += count;
    }
  }

  /** Waits for the card and copies so many floats. */
  void download(long from, FloatBuffer to, int floats) {
    for (int done = 0; done < floats; ) {
      int count = Math.min(floats - done, MOST_BYTES / Float.BYTES);
      ByteBuffer room = room(count * Float.BYTES);
      driver.downloadLater(from + (long) done * Float.BYTES, room);
      driver.synchronize();
      to.put(to.position() + done, room.asFloatBuffer(), 0, count);
      used = 0;
      done += count;
    }
  }

  @Override
  public void close() {
    if (memory != null) {
      driver.freeHost(memory);
      memory = null;
    }
  }
}
