package org.ddpm4j.unet;

import java.nio.FloatBuffer;
import org.ddpm4j.kernels.cpu.Loops;

/**
 * A sum whose summands come from several threads and are added in the order of their numbers, so
 * that its last digits do not depend on who is ready first.
 *
 * <p>The total is cut into slices. Whoever has to wait, for a summand or for memory, adds slices
 * meanwhile, so that the sum takes as many threads as have nothing better to do. A thread of many
 * summands goes on with its next one as soon as its last one has been added or copied to one of a
 * few spare buffers; a slow thread holds the others up only when these are full.
 */
final class OrderedSum {

  /** The elements that one thread adds at once. */
  private static final int SLICE = 1 << 14;

  /** The elements that are copied to the Java heap at once; they stay in the first-level cache. */
  private static final int TILE = 1 << 10;

  private final FloatBuffer total;
  private final SpareBuffers spare;
  private final int slices;

  /** The summands that are ready and not yet added to every slice. */
  private final Summand[] ready;

  /** The number of summands whose computation has begun. */
  private int begun;

  /** The summands before this one have been added to every slice. */
  private int added;

  /** Those before this one are being added: one round goes through all slices. */
  private int roundEnd;

  private int nextSlice;
  private int slicesDone;
  private boolean failed;

  /** Memory for summands that are ready before those in front of them. */
  interface SpareBuffers {

    /** No memory. */
    SpareBuffers NONE =
        new SpareBuffers() {
          @Override
          public FloatBuffer poll() {
            return null;
          }

          @Override
          public void giveBack(FloatBuffer buffer) {
            throw new IllegalStateException("There are no spare buffers that could come back.");
          }
        };

    /** A buffer as long as a summand, or null if all are in use. */
    FloatBuffer poll();

    /** Takes one back. */
    void giveBack(FloatBuffer buffer);
  }

  private record Summand(FloatBuffer values, boolean isSpare) {}

  /**
   * A sum that has not begun.
   *
   * @param total receives the sum; what it holds is overwritten
   * @param summands how many there will be
   * @param spare for summands that are ready too early
   */
  OrderedSum(FloatBuffer total, int summands, SpareBuffers spare) {
    this.total = total;
    this.spare = spare;
    this.ready = new Summand[summands];
    this.slices = (total.capacity() + SLICE - 1) / SLICE;
    this.nextSlice = slices;
  }

  /**
   * The next summand for the calling thread, which must work on it at once: others may wait for it.
   *
   * @return its number, or -1 if all have begun or the sum has failed
   */
  synchronized int begin() {
    return failed || begun == ready.length ? -1 : begun++;
  }

  /**
   * Takes a summand. Returns when the caller may overwrite it; the last summands, after which none
   * will be begun, are read until {@link #finish} has returned.
   *
   * @param number of the summand
   * @param summand as long as the total
   */
  void add(int number, FloatBuffer summand) {
    FloatBuffer copy = null;
    synchronized (this) {
      if (begun < ready.length && !failed && !isNext(number)) {
        copy = spare.poll();
      }
    }
    if (copy != null) {
      copy.put(0, summand, 0, total.capacity());
    }
    synchronized (this) {
      ready[number] = copy == null ? new Summand(summand, false) : new Summand(copy, true);
      notifyAll();
    }
    if (copy == null) {
      addUntil(number + 1, true);
    }
  }

  /** Whether the summands before this one have been added, or are about to be. */
  private boolean isNext(int number) {
    for (int i = added; i < number; i++) {
      if (ready[i] == null) {
        return false;
      }
    }
    return true;
  }

  /** Adds until all summands have been added, or the sum has failed. */
  void finish() {
    addUntil(ready.length, false);
  }

  /** Lets nobody wait any longer: a summand will not come. */
  synchronized void fail() {
    failed = true;
    notifyAll();
  }

  /**
   * Adds slices until so many summands have been added.
   *
   * @param onlyWhileOthersBegin returns also once all summands have begun
   */
  private void addUntil(int summands, boolean onlyWhileOthersBegin) {
    float[] sum = new float[TILE];
    float[] more = new float[TILE];
    int slice = nextSlice(summands, onlyWhileOthersBegin);
    while (slice >= 0) {
      // Written by others only before this round began and after it will have ended.
      addSlice(slice, sum, more);
      sliceDone();
      slice = nextSlice(summands, onlyWhileOthersBegin);
    }
  }

  /** Waits for a slice; -1 when there is no reason to wait any longer. */
  private synchronized int nextSlice(int summands, boolean onlyWhileOthersBegin) {
    boolean interrupted = false;
    try {
      while (true) {
        if (failed || added >= summands || onlyWhileOthersBegin && begun == ready.length) {
          return -1;
        }
        if (roundEnd == added && ready[added] != null) {
          beginRound();
        }
        if (nextSlice < slices) {
          return nextSlice++;
        }
        try {
          wait();
        } catch (InterruptedException e) {
          // The others use memory that the caller may free: all must come to an end.
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void beginRound() {
    while (roundEnd < ready.length && ready[roundEnd] != null) {
      roundEnd++;
    }
    nextSlice = 0;
    slicesDone = 0;
    notifyAll();
  }

  private void addSlice(int slice, float[] sum, float[] more) {
    int end = Math.min(total.capacity(), (slice + 1) * SLICE);
    for (int start = slice * SLICE; start < end; start += TILE) {
      int length = Math.min(TILE, end - start);
      (added == 0 ? ready[0].values : total).get(start, sum, 0, length);
      for (int i = Math.max(1, added); i < roundEnd; i++) {
        ready[i].values.get(start, more, 0, length);
        Loops.add(sum, more, length);
      }
      total.put(start, sum, 0, length);
    }
  }

  private synchronized void sliceDone() {
    if (++slicesDone == slices) {
      for (; added < roundEnd; added++) {
        if (ready[added].isSpare) {
          spare.giveBack(ready[added].values);
        }
        ready[added] = null;
      }
      notifyAll();
    }
  }
}
