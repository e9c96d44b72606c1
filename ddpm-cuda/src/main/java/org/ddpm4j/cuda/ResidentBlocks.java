package org.ddpm4j.cuda;

/**
 * How many blocks a processor holds at once: by registers, as convolution.cu declares them, and
 * shared memory.
 */
final class ResidentBlocks {

  private static final int REGISTERS = 65536;
  private static final int MOST = 4;

  /** What the system takes of the shared memory for each block. */
  private static final int RESERVED_BYTES = 1 << 10;

  private ResidentBlocks() {}

  /** Like blocks_of_registers: so many threads, each with so many sums. */
  static int of(int threads, int sums, int elementBytes) {
    int others = elementBytes == 2 ? 64 : 96;
    return Math.max(1, Math.min(MOST, REGISTERS / (threads * (others + sums))));
  }

  /** Of each of so many blocks, if the largest one alone may have sharedMemory. */
  static int sharedBytes(int sharedMemory, int blocks) {
    return (sharedMemory + RESERVED_BYTES) / blocks - RESERVED_BYTES;
  }
}
