package org.ddpm4j.kernels.cpu;

import org.bytedeco.javacpp.Pointer;

/** What tests know of memory outside the Java heap. */
final class NativeMemory {

  private NativeMemory() {}

  /**
   * Lets the garbage collector free what other tests left, so that it does not do so while memory
   * is being counted.
   *
   * @return the bytes that JavaCPP then knows to be allocated
   */
  static long afterCollection() throws InterruptedException {
    long bytes = Pointer.totalBytes();
    for (int unchanged = 0; unchanged < 3; unchanged++) {
      System.gc();
      // JavaCPP frees in a thread of its own.
      Thread.sleep(20);
      if (Pointer.totalBytes() != bytes) {
        bytes = Pointer.totalBytes();
        unchanged = -1;
      }
    }
    return bytes;
  }
}
