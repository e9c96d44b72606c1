package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class CommonThreadsTest {

  private static final int TASKS = 8;

  @Test
  void everyTaskIsRunOnce() {
    AtomicIntegerArray runs = new AtomicIntegerArray(1000);
    CommonThreads.forEach(1000, runs::incrementAndGet);
    for (int i = 0; i < 1000; i++) {
      assertThat(runs.get(i)).isEqualTo(1);
    }
    CommonThreads.forEach(
        0,
        i -> {
          throw new IllegalStateException();
        });
  }

  /** Two tasks are under way, where there are two processors, when one of them fails. */
  @RepeatedTest(5)
  void aFailureIsThrownWhenTheOthersHaveEnded() {
    AtomicInteger running = new AtomicInteger();
    CountDownLatch two = new CountDownLatch(2);
    assertThatThrownBy(
            () ->
                CommonThreads.forEach(
                    TASKS,
                    i -> {
                      running.incrementAndGet();
                      try {
                        two.countDown();
                        await(two);
                        if (i == TASKS / 2 + 1) {
                          throw new IllegalStateException("task " + i);
                        }
                        pause();
                      } finally {
                        running.decrementAndGet();
                      }
                    }))
        .isExactlyInstanceOf(IllegalStateException.class)
        .hasMessage("task 5");
    assertThat(running).hasValue(0);
  }

  @Test
  void errorsAreThrownAsTheyAre() {
    OutOfMemoryError error = new OutOfMemoryError("none left");
    assertThatThrownBy(
            () ->
                CommonThreads.forEach(
                    TASKS,
                    i -> {
                      throw error;
                    }))
        .isSameAs(error);
  }

  /** With one processor nobody else comes. */
  private static void await(CountDownLatch latch) {
    try {
      latch.await(500, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void pause() {
    try {
      Thread.sleep(20);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
