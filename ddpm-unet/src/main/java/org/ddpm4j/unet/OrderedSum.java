package org.ddpm4j.unet;

import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.ddpm4j.kernels.cpu.Loops;

/**
 * A sum of several arrays, the gradients of a network's parameters, whose summands come from
 * several threads. Of each array the summands are added in the order of their numbers, so that its
 * last digits do not depend on who is ready first.
 *
 * <p>A summand whose turn it is is added at once, while it is in the cache. Another one is copied
 * to spare memory, and the thread that made it adds it later, between its next ones, once those
 * before it have been added. Only where spare memory is full does a thread wait. The thread with
 * the lowest number never does, so that all come to an end.
 */
final class OrderedSum {

  /** The elements that are copied to the Java heap at once; they stay in the first-level cache. */
  private static final int TILE = 1 << 10;

  private final List<FloatBuffer> totals;
  private final int summands;
  private final SpareBlocks spare;

  /** For each array the number of the summand that is to be added next. */
  private final AtomicIntegerArray turns;

  /** The number of summands whose computation has begun. */
  private int begun;

  /** How many threads are waiting. */
  private volatile int sleepers;

  private volatile boolean failed;

  /**
   * A sum that has not begun.
   *
   * @param totals receive the sums; what they hold is overwritten
   * @param summands how many there will be of each
   * @param spare for summands that are ready too early
   */
  OrderedSum(List<FloatBuffer> totals, int summands, SpareBlocks spare) {
    this.totals = totals;
    this.summands = summands;
    this.spare = spare;
    this.turns = new AtomicIntegerArray(totals.size());
  }

  /**
   * The next number for the calling thread, which must make the summands of all arrays with it at
   * once: others may wait for them.
   *
   * @return the number, or -1 if all have begun or the sum has failed
   */
  synchronized int begin() {
    return failed || begun == summands ? -1 : begun++;
  }

  /** Lets nobody wait any longer: a summand will not come. What the totals hold is of no use. */
  synchronized void fail() {
    failed = true;
    notifyAll();
  }

  private boolean isTurn(int array, int number) {
    return turns.get(array) == number;
  }

  /** Waits for a turn. Returns false if it will not come. */
  private boolean awaitTurn(int array, int number) {
    if (isTurn(array, number)) {
      return true;
    }
    boolean interrupted = false;
    synchronized (this) {
      sleepers++;
      while (!failed && !isTurn(array, number)) {
        try {
          wait();
        } catch (InterruptedException e) {
          // The others use memory that the caller may free: all must come to an end.
          interrupted = true;
        }
      }
      sleepers--;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return !failed;
  }

  private void endTurn(int array, int number) {
    turns.set(array, number + 1);
    // Whoever begins to sleep after this was read finds its turn come.
    if (sleepers > 0) {
      synchronized (this) {
        notifyAll();
      }
    }
  }

  /** A summand that waits for those before it. */
  private record Waiting(int array, int number, List<FloatBuffer> blocks) {}

  /** What one thread adds to the sum. */
  final class Adder {

    private final Queue<Waiting> waiting = new ArrayDeque<>();
    private final float[] sum = new float[TILE];
    private final float[] more = new float[TILE];

    /**
     * Takes a summand, which the caller may overwrite afterwards.
     *
     * @param array zero-based
     * @param number of the summand
     * @param values as many as the array's total has
     */
    void add(int array, int number, FloatBuffer values) {
      addWaiting();
      while (!failed && !isTurn(array, number)) {
        List<FloatBuffer> copy = spare.copyOf(values);
        if (copy != null) {
          waiting.add(new Waiting(array, number, copy));
          return;
        }
        if (waiting.isEmpty()) {
          awaitTurn(array, number);
        } else {
          awaitFirst();
        }
      }
      if (!failed) {
        addTo(totals.get(array), 0, values, number);
        endTurn(array, number);
      }
    }

    /** Adds those whose turn has come, in the order in which they came. */
    private void addWaiting() {
      while (!waiting.isEmpty() && isTurn(waiting.element().array(), waiting.element().number())) {
        awaitFirst();
      }
    }

    /**
     * Adds those whose turn has come.
     *
     * @return whether none is left, or none will ever have its turn
     */
    boolean addsReady() {
      addWaiting();
      return failed || waiting.isEmpty();
    }

    private void awaitFirst() {
      Waiting first = waiting.remove();
      if (awaitTurn(first.array(), first.number())) {
        int start = 0;
        for (FloatBuffer block : first.blocks()) {
          addTo(totals.get(first.array()), start, block, first.number());
          start += block.limit();
        }
        endTurn(first.array(), first.number());
      }
      spare.giveBack(first.blocks());
    }

    private void addTo(FloatBuffer total, int start, FloatBuffer values, int number) {
      int end = values.limit();
      for (int i = 0; i < end; i += TILE) {
        int length = Math.min(TILE, end - i);
        values.get(i, sum, 0, length);
        if (number > 0) {
          total.get(start + i, more, 0, length);
          Loops.add(sum, more, length);
        }
        total.put(start + i, sum, 0, length);
      }
    }

    /** Adds what is left, waiting for those before it. */
    void finish() {
      while (!waiting.isEmpty()) {
        awaitFirst();
      }
    }
  }
}
