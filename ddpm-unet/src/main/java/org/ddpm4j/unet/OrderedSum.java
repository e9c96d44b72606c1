package org.ddpm4j.unet;

import java.nio.FloatBuffer;
import org.ddpm4j.kernels.cpu.Loops;

/**
 * A sum whose summands come from several threads and are added in the order of their numbers, so
 * that its last digits do not depend on who is ready first. A summand follows the one before it
 * piece by piece: nobody keeps copies, and nobody waits for the whole of another.
 */
final class OrderedSum {

  /** The elements that are added at once. */
  private static final int PIECE = 1 << 15;

  private final FloatBuffer total;

  /** For each summand, the elements that it has been added to. */
  private final int[] done;

  private boolean failed;

  /**
   * A sum that has not begun.
   *
   * @param total receives the sum; what it holds is overwritten
   * @param summands how many there will be
   */
  OrderedSum(FloatBuffer total, int summands) {
    this.total = total;
    this.done = new int[summands];
  }

  /**
   * Adds a summand once those before it have been added; waits for them. Adds nothing once the sum
   * has failed.
   *
   * @param number of the summand, zero-based; another thread must be working on each one before it
   * @param summand as long as the total
   */
  void add(int number, FloatBuffer summand) {
    float[] sum = new float[Math.min(PIECE, total.capacity())];
    float[] more = new float[sum.length];
    for (int start = 0; start < total.capacity(); start += PIECE) {
      int length = Math.min(PIECE, total.capacity() - start);
      if (number == 0) {
        total.put(start, summand, start, length);
      } else {
        if (!awaitPredecessor(number, start + length)) {
          return;
        }
        total.get(start, sum, 0, length);
        summand.get(start, more, 0, length);
        Loops.add(sum, more, length);
        total.put(start, sum, 0, length);
      }
      advance(number, start + length);
    }
  }

  private synchronized boolean awaitPredecessor(int number, int elements) {
    boolean interrupted = false;
    while (!failed && done[number - 1] < elements) {
      try {
        wait();
      } catch (InterruptedException e) {
        // The others use memory that the caller may free: all must come to an end.
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return !failed;
  }

  private synchronized void advance(int number, int elements) {
    done[number] = elements;
    notifyAll();
  }

  /** Lets nobody wait any longer: a summand will not come. */
  synchronized void fail() {
    failed = true;
    notifyAll();
  }
}
