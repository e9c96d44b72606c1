package org.ddpm4j.spark.exchange;

import java.util.concurrent.Semaphore;

/** Whose turn it is with an array that one thread fills and another reads, again and again. */
final class HandOff {

  private final Semaphore filled = new Semaphore(0);
  private final Semaphore read = new Semaphore(0);

  /** The array is full; returns when it has been read. */
  void giveToReader() throws InterruptedException {
    filled.release();
    read.acquire();
  }

  /** Returns when the array is full. */
  void awaitFilled() throws InterruptedException {
    filled.acquire();
  }

  /** The array has been read. */
  void giveBack() {
    read.release();
  }
}
