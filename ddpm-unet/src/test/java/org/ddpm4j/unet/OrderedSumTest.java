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
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class OrderedSumTest {

  /** Less than a block, a block, and several of which the last is not full. */
  private static final int[] LENGTHS = {7, SpareBlocks.BLOCK, 10_003, 1};

  private static final int BLOCKS_OF_A_SUMMAND = 1 + 1 + 10 + 1;

  private static final int SUMMANDS = 6;

  /** Summand, array, element. */
  private static float[][][] summands() {
    SplittableRandom random = new SplittableRandom(3);
    float[][][] summands = new float[SUMMANDS][LENGTHS.length][];
    for (float[][] summand : summands) {
      for (int array = 0; array < LENGTHS.length; array++) {
        summand[array] = new float[LENGTHS[array]];
        for (int i = 0; i < LENGTHS[array]; i++) {
          // Of many sizes: any other order gives other last digits.
          summand[array][i] = (float) Math.scalb(random.nextDouble() - 0.5, random.nextInt(24));
        }
      }
    }
    return summands;
  }

  private static float[][] inOrder(float[][]... summands) {
    float[][] sum = new float[LENGTHS.length][];
    for (int array = 0; array < LENGTHS.length; array++) {
      sum[array] = summands[0][array].clone();
      for (int k = 1; k < summands.length; k++) {
        for (int i = 0; i < LENGTHS[array]; i++) {
          sum[array][i] += summands[k][array][i];
        }
      }
    }
    return sum;
  }

  /** Totals that hold garbage. */
  private static float[][] totals() {
    float[][] totals = new float[LENGTHS.length][];
    for (int array = 0; array < LENGTHS.length; array++) {
      totals[array] = new float[LENGTHS[array]];
      Arrays.fill(totals[array], Float.NaN);
    }
    return totals;
  }

  private static OrderedSum sum(float[][] totals, SpareBlocks spare) {
    return new OrderedSum(Arrays.stream(totals).map(FloatBuffer::wrap).toList(), SUMMANDS, spare);
  }

  /** Brings the arrays of one number, each in memory that is overwritten at once. */
  private static void add(OrderedSum.Adder adder, int number, float[][] summand, Random delays) {
    for (int array = LENGTHS.length - 1; array >= 0; array--) {
      pause(delays);
      float[] made = summand[array].clone();
      adder.add(array, number, FloatBuffer.wrap(made));
      Arrays.fill(made, Float.NaN);
    }
  }

  private static void work(OrderedSum sum, float[][][] summands, Random delays) {
    OrderedSum.Adder adder = sum.new Adder();
    for (int k = sum.begin(); k >= 0; k = sum.begin()) {
      add(adder, k, summands[k], delays);
    }
    adder.finish();
  }

  private static void pause(Random delays) {
    if (delays.nextInt(3) == 0) {
      LockSupport.parkNanos(delays.nextInt(1_000_000));
    }
  }

  private static List<Thread> start(int threads, OrderedSum sum, float[][][] summands, long seed) {
    List<Thread> workers = new ArrayList<>();
    for (int thread = 0; thread < threads; thread++) {
      Random delays = new Random(seed + thread);
      workers.add(new Thread(() -> work(sum, summands, delays)));
    }
    workers.forEach(Thread::start);
    return workers;
  }

  private static void join(List<Thread> threads) throws InterruptedException {
    for (Thread thread : threads) {
      thread.join();
    }
  }

  static Stream<Arguments> threadsAndSpareBlocks() {
    return Stream.of(1, 2, 3, 6, 16, 64)
        .flatMap(
            threads ->
                Stream.of(0, 1, BLOCKS_OF_A_SUMMAND, 1000)
                    .map(blocks -> Arguments.of(threads, blocks)));
  }

  @ParameterizedTest
  @MethodSource("threadsAndSpareBlocks")
  void addsInTheOrderOfNumbersWhoeverIsReadyFirst(int threads, int blocks)
      throws InterruptedException {
    float[][][] summands = summands();
    float[][] expected = inOrder(summands);
    assertThat(inOrder(summands[5], summands[3], summands[0])[2])
        .isNotEqualTo(inOrder(summands[0], summands[3], summands[5])[2]);
    try (SpareBlocks spare = new SpareBlocks(blocks)) {
      for (int round = 0; round < 10; round++) {
        float[][] totals = totals();
        join(start(threads, sum(totals, spare), summands, 100L * round));
        assertThat(totals).isDeepEqualTo(expected);
      }
      // All blocks are back: one copy takes them all.
      assertThat(spare.copyOf(FloatBuffer.allocate(blocks * SpareBlocks.BLOCK))).isNotNull();
    }
  }

  /** A thread that is held up does not hold up another before spare memory is full. */
  @Test
  void aSlowSummandIsOvertakenByAsManyAsFitIntoSpareMemory() throws InterruptedException {
    float[][][] summands = summands();
    float[][] totals = totals();
    Random none = new Random(1);
    try (SpareBlocks spare = new SpareBlocks(3 * BLOCKS_OF_A_SUMMAND)) {
      OrderedSum sum = sum(totals, spare);
      assertThat(sum.begin()).isZero();
      OrderedSum.Adder early = sum.new Adder();
      for (int k = 1; k <= 3; k++) {
        assertThat(sum.begin()).isEqualTo(k);
        // Returns although summand 0 is not there.
        add(early, k, summands[k], none);
      }
      assertThat(spare.copyOf(FloatBuffer.allocate(1))).isNull();
      List<Thread> others = start(1, sum, summands, 1);
      OrderedSum.Adder late = sum.new Adder();
      add(late, 0, summands[0], none);
      late.finish();
      early.finish();
      join(others);
      assertThat(totals).isDeepEqualTo(inOrder(summands));
    }
  }

  @Test
  void nobodyWaitsForASummandThatWillNotCome() throws InterruptedException {
    float[][][] summands = summands();
    float[][] totals = totals();
    try (SpareBlocks spare = new SpareBlocks(1)) {
      OrderedSum sum = sum(totals, spare);
      assertThat(sum.begin()).isZero();
      List<Thread> workers = start(3, sum, summands, 1);
      sum.fail();
      join(workers);
      assertThat(sum.begin()).isEqualTo(-1);
      for (float[] total : totals) {
        assertThat(total).containsOnly(Float.NaN);
      }
    }
  }

  @Test
  void anInterruptedThreadFinishesAndStaysInterrupted() throws InterruptedException {
    float[][][] summands = summands();
    float[][] totals = totals();
    boolean[] interrupted = new boolean[1];
    try (SpareBlocks spare = new SpareBlocks(0)) {
      OrderedSum sum = sum(totals, spare);
      assertThat(sum.begin()).isZero();
      Thread second =
          new Thread(
              () -> {
                Thread.currentThread().interrupt();
                work(sum, summands, new Random(1));
                interrupted[0] = Thread.currentThread().isInterrupted();
              });
      second.start();
      OrderedSum.Adder first = sum.new Adder();
      add(first, 0, summands[0], new Random(2));
      first.finish();
      second.join();
      assertThat(totals).isDeepEqualTo(inOrder(summands));
      assertThat(interrupted[0]).isTrue();
    }
  }
}
