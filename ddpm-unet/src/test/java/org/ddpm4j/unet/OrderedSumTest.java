package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class OrderedSumTest {

  /** Several pieces, and one that is not full. */
  private static final int LENGTH = 100_003;

  private static final int SUMMANDS = 6;

  private static float[][] summands() {
    SplittableRandom random = new SplittableRandom(3);
    float[][] summands = new float[SUMMANDS][LENGTH];
    for (float[] summand : summands) {
      for (int i = 0; i < LENGTH; i++) {
        // Of many sizes: any other order gives other last digits.
        summand[i] = (float) Math.scalb(random.nextDouble() - 0.5, random.nextInt(24));
      }
    }
    return summands;
  }

  private static float[] inOrder(float[][] summands) {
    float[] sum = summands[0].clone();
    for (int k = 1; k < summands.length; k++) {
      for (int i = 0; i < LENGTH; i++) {
        sum[i] += summands[k][i];
      }
    }
    return sum;
  }

  /** As many buffers as there may be, and how many were out at once at most. */
  private static final class CountedSpares implements OrderedSum.SpareBuffers {

    private final int most;
    private int out;
    private int peak;

    CountedSpares(int most) {
      this.most = most;
    }

    @Override
    public synchronized FloatBuffer poll() {
      if (out == most) {
        return null;
      }
      peak = Math.max(peak, ++out);
      return FloatBuffer.allocate(LENGTH);
    }

    @Override
    public synchronized void giveBack(FloatBuffer buffer) {
      out--;
      // Whoever still reads it finds nothing that could be mistaken for a summand.
      Arrays.fill(buffer.array(), Float.NaN);
    }
  }

  /** What a thread does: each summand is made in the one buffer that the thread has. */
  private static void work(OrderedSum sum, float[][] summands, Random delays) {
    float[] own = new float[LENGTH];
    for (int k = sum.begin(); k >= 0; k = sum.begin()) {
      Arrays.fill(own, Float.NaN);
      pause(delays);
      System.arraycopy(summands[k], 0, own, 0, LENGTH);
      sum.add(k, FloatBuffer.wrap(own));
    }
    sum.finish();
  }

  private static void pause(Random delays) {
    if (delays.nextInt(3) == 0) {
      LockSupport.parkNanos(delays.nextInt(3_000_000));
    }
  }

  static Stream<Arguments> threadsAndSpares() {
    return Stream.of(1, 2, 3, 6, 16, 64)
        .flatMap(threads -> Stream.of(0, 1, 5).map(spares -> Arguments.of(threads, spares)));
  }

  @ParameterizedTest
  @MethodSource("threadsAndSpares")
  void addsInTheOrderOfNumbersWhoeverIsReadyFirst(int threads, int spares)
      throws InterruptedException {
    float[][] summands = summands();
    float[] expected = inOrder(summands);
    assertThat(inOrder(new float[][] {summands[5], summands[3], summands[0]}))
        .isNotEqualTo(inOrder(new float[][] {summands[0], summands[3], summands[5]}));
    for (int round = 0; round < 5; round++) {
      float[] total = new float[LENGTH];
      Arrays.fill(total, Float.NaN);
      CountedSpares spare = new CountedSpares(spares);
      OrderedSum sum = new OrderedSum(FloatBuffer.wrap(total), SUMMANDS, spare);
      List<Thread> workers = new ArrayList<>();
      for (int thread = 0; thread < threads; thread++) {
        Random delays = new Random(100L * round + thread);
        workers.add(new Thread(() -> work(sum, summands, delays)));
      }
      workers.forEach(Thread::start);
      for (Thread worker : workers) {
        worker.join();
      }
      assertThat(total).isEqualTo(expected);
      assertThat(spare.out).isZero();
    }
  }

  /** A thread that is held up does not hold up the other before the spare buffers are full. */
  @Test
  void aSlowSummandIsOvertakenByAsManyAsThereAreSpareBuffers() throws InterruptedException {
    float[][] summands = summands();
    float[] total = new float[LENGTH];
    CountedSpares spare = new CountedSpares(3);
    OrderedSum sum = new OrderedSum(FloatBuffer.wrap(total), SUMMANDS, spare);
    assertThat(sum.begin()).isZero();
    float[] own = new float[LENGTH];
    for (int k = 1; k <= 3; k++) {
      assertThat(sum.begin()).isEqualTo(k);
      System.arraycopy(summands[k], 0, own, 0, LENGTH);
      // Returns although summand 0 is not there.
      sum.add(k, FloatBuffer.wrap(own));
    }
    assertThat(spare.peak).isEqualTo(3);
    Thread other = new Thread(() -> work(sum, summands, new Random(1)));
    other.start();
    sum.add(0, FloatBuffer.wrap(summands[0]));
    sum.finish();
    other.join();
    assertThat(total).isEqualTo(inOrder(summands));
  }

  @Test
  void nobodyWaitsForASummandThatWillNotCome() throws InterruptedException {
    float[][] summands = summands();
    float[] total = new float[LENGTH];
    OrderedSum sum =
        new OrderedSum(FloatBuffer.wrap(total), SUMMANDS, OrderedSum.SpareBuffers.NONE);
    assertThat(sum.begin()).isZero();
    List<Thread> workers = new ArrayList<>();
    for (int thread = 0; thread < 3; thread++) {
      Random delays = new Random(thread);
      workers.add(new Thread(() -> work(sum, summands, delays)));
    }
    workers.forEach(Thread::start);
    sum.fail();
    for (Thread worker : workers) {
      worker.join();
    }
    assertThat(sum.begin()).isEqualTo(-1);
    sum.finish();
    assertThat(total).containsOnly(0);
  }

  @Test
  void anInterruptedThreadFinishesAndStaysInterrupted() throws InterruptedException {
    float[][] summands = summands();
    float[] total = new float[LENGTH];
    OrderedSum sum =
        new OrderedSum(FloatBuffer.wrap(total), SUMMANDS, OrderedSum.SpareBuffers.NONE);
    boolean[] interrupted = new boolean[1];
    assertThat(sum.begin()).isZero();
    Thread second =
        new Thread(
            () -> {
              Thread.currentThread().interrupt();
              float[] own = new float[LENGTH];
              for (int k = sum.begin(); k >= 0; k = sum.begin()) {
                System.arraycopy(summands[k], 0, own, 0, LENGTH);
                sum.add(k, FloatBuffer.wrap(own));
              }
              sum.finish();
              interrupted[0] = Thread.currentThread().isInterrupted();
            });
    second.start();
    sum.add(0, FloatBuffer.wrap(summands[0]));
    sum.finish();
    second.join();
    assertThat(total).isEqualTo(inOrder(summands));
    assertThat(interrupted[0]).isTrue();
  }
}
