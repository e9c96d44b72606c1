package org.ddpm4j.cuda;

import java.nio.ByteBuffer;

/** The native half of {@link EmulatedDriver}: src/test/cpp/emulated_driver.cpp. */
final class EmulatedMachine {

  private EmulatedMachine() {}

  /** A shared library. */
  static native long open(String path);

  /** A function's address, or 0. */
  static native long symbol(long library, String name);

  /** A letter for each parameter: p, i, l, f, d. */
  static native String signature(long function);

  /** Runs all threads of a launch and returns null, or what a kernel did wrong. */
  static native String launch(
      long function, int gridX, int gridY, int gridZ, int threads, int sharedBytes, long arguments);

  /** The address of zeros, or 0 if there is no memory. */
  static native long allocate(long bytes);

  static native void release(long address, long bytes);

  /** Whether nobody wrote to the few bytes beside an allocation that can be written. */
  static native boolean intact(long address, long bytes);

  static native long addressOf(ByteBuffer direct);

  static native void copy(long from, long to, long bytes);

  static native void fill(long address, int value, long bytes);
}
