package org.ddpm4j.unet;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.ddpm4j.kernels.cpu.Workers;
import org.junit.jupiter.api.Test;

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

  @Test
  void addsInTheOrderOfNumbersWhoeverComesFirst() throws InterruptedException {
    float[][] summands = summands();
    float[] expected = inOrder(summands);
    assertThat(inOrder(new float[][] {summands[5], summands[3], summands[0]}))
        .isNotEqualTo(inOrder(new float[][] {summands[0], summands[3], summands[5]}));
    List<Integer> arrivals = new ArrayList<>(IntStream.range(0, SUMMANDS).boxed().toList());
    for (int round = 0; round < 20; round++) {
      Collections.shuffle(arrivals, new Random(round));
      float[] total = new float[LENGTH];
      Arrays.fill(total, Float.NaN);
      OrderedSum sum = new OrderedSum(FloatBuffer.wrap(total), SUMMANDS);
      List<Thread> threads =
          arrivals.stream()
              .map(k -> new Thread(() -> sum.add(k, FloatBuffer.wrap(summands[k]))))
              .toList();
      threads.forEach(Thread::start);
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(total).isEqualTo(expected);
    }
  }

  @Test
  void nobodyWaitsForASummandThatWillNotCome() {
    float[][] summands = summands();
    float[] total = new float[LENGTH];
    OrderedSum sum = new OrderedSum(FloatBuffer.wrap(total), 3);
    try (Workers workers = new Workers(3)) {
      workers.forEach(
          3,
          k -> {
            if (k == 1) {
              sum.fail();
            } else {
              sum.add(k, FloatBuffer.wrap(summands[k]));
            }
          });
    }
    assertThat(total).isEqualTo(summands[0]);
  }

  @Test
  void anInterruptedThreadFinishesAndStaysInterrupted() throws InterruptedException {
    float[][] summands = summands();
    float[] total = new float[LENGTH];
    OrderedSum sum = new OrderedSum(FloatBuffer.wrap(total), 2);
    boolean[] interrupted = new boolean[1];
    Thread second =
        new Thread(
            () -> {
              Thread.currentThread().interrupt();
              sum.add(1, FloatBuffer.wrap(summands[1]));
              interrupted[0] = Thread.currentThread().isInterrupted();
            });
    second.start();
    sum.add(0, FloatBuffer.wrap(summands[0]));
    second.join();
    assertThat(total).isEqualTo(inOrder(new float[][] {summands[0], summands[1]}));
    assertThat(interrupted[0]).isTrue();
  }
}
