package org.ddpm4j.unet;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A fair pool of at most n objects, each used by one thread at a time and made when it is first
 * needed. Who comes when all are in use waits, first come, first served.
 */
final class BoundedPool<T> {

  private final Supplier<T> maker;
  private final Consumer<T> closer;
  private final Queue<T> idle = new ConcurrentLinkedQueue<>();
  private final Semaphore permits;

  /**
   * An empty pool.
   *
   * @param most in use at once, at least 1
   * @param maker of one more
   * @param closer gives back what one holds
   */
  BoundedPool(int most, Supplier<T> maker, Consumer<T> closer) {
    this.maker = maker;
    this.closer = closer;
    permits = new Semaphore(most, true);
  }

  /** Works with one. One whose work failed is closed: it may be left in any state. */
  void use(Consumer<T> work) {
    permits.acquireUninterruptibly();
    try {
      T one = idle.poll();
      if (one == null) {
        one = maker.get();
      }
      boolean done = false;
      try {
        work.accept(one);
        done = true;
      } finally {
        if (done) {
          idle.add(one);
        } else {
          closer.accept(one);
        }
      }
    } finally {
      permits.release();
    }
  }

  /** Closes all; nobody may use one. */
  void close() {
    idle.forEach(closer);
    idle.clear();
  }
}
