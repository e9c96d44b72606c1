package org.ddpm4j.kernels.cpu;

import java.util.concurrent.TimeUnit;

/** Waits for those who help: they come when they have found out that they have nothing to do. */
final class Teams {

  private Teams() {}

  /** The team of the calling thread's task, once it is of this size, at least 2. */
  static Team awaitSize(Workers workers, int size) {
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
    while (workers.team().map(Team::size).orElse(1) != size) {
      if (System.nanoTime() > end) {
        throw new AssertionError("Nobody comes to make a team of %d.".formatted(size));
      }
      Thread.yield();
    }
    return workers.team().orElseThrow();
  }
}
