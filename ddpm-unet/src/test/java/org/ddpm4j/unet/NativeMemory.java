package org.ddpm4j.unet;

import org.bytedeco.javacpp.Pointer;

/** What tests know of memory outside the Java heap. */
final class NativeMemory {

  private NativeMemory() {}

  /** Native memory when what earlier tests dropped has been given back, by a thread of its own. */
  static long bytesWithoutGarbage() throws InterruptedException {
    long bytes = Long.MAX_VALUE;
    int unchanged = 0;
    for (int round = 0; round < 100 && unchanged < 3; round++) {
      System.gc();
      Thread.sleep(20);
      long now = Pointer.totalBytes();
      unchanged = now == bytes ? unchanged + 1 : 0;
      bytes = now;
    }
    return bytes;
  }
}
