package org.ddpm4j.unet;

import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.ddpm4j.kernels.cpu.FloatMemory;

/** Memory for copies of arrays, in blocks of one size, made when it is first needed. */
final class SpareBlocks implements AutoCloseable {

  /** The floats of a block. */
  static final int BLOCK = 1 << 10;

  /** The blocks that are allocated at once. */
  private static final int ALLOCATED = 1 << 6;

  private final int most;
  private final List<FloatMemory> memory = new ArrayList<>();
  private final Deque<FloatBuffer> idle = new ArrayDeque<>();
  private int made;

  /**
   * No memory yet.
   *
   * @param most how many blocks there may be
   */
  SpareBlocks(int most) {
    this.most = most;
  }

  /** {@return the blocks that so many floats take} */
  static int blocks(long floats) {
    return Math.toIntExact((floats + BLOCK - 1) / BLOCK);
  }

  /**
   * A copy of all values.
   *
   * @param values up to the buffer's limit, whatever its position
   * @return blocks whose limits are the numbers of values in them, or null if too few are idle
   */
  List<FloatBuffer> copyOf(FloatBuffer values) {
    List<FloatBuffer> copy = take(blocks(values.limit()));
    if (copy != null) {
      int start = 0;
      for (FloatBuffer block : copy) {
        int length = Math.min(BLOCK, values.limit() - start);
        block.clear().limit(length);
        block.put(0, values, start, length);
        start += length;
      }
    }
    return copy;
  }

  private synchronized List<FloatBuffer> take(int count) {
    if (count > most) {
      return null;
    }
    while (idle.size() < count && made < most) {
      make(Math.min(ALLOCATED, most - made));
    }
    if (idle.size() < count) {
      return null;
    }
    List<FloatBuffer> taken = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      taken.add(idle.pop());
    }
    return taken;
  }

  private void make(int count) {
    FloatMemory more = new FloatMemory((long) count * BLOCK);
    memory.add(more);
    made += count;
    FloatBuffer all = more.buffer();
    for (int i = 0; i < count; i++) {
      idle.push(all.slice(i * BLOCK, BLOCK));
    }
  }

  /** Takes blocks back. */
  synchronized void giveBack(List<FloatBuffer> blocks) {
    blocks.forEach(idle::push);
  }

  /** Gives the memory back, which nobody may use any more; there can be new memory afterwards. */
  @Override
  public synchronized void close() {
    idle.clear();
    memory.forEach(FloatMemory::close);
    memory.clear();
    made = 0;
  }
}
