package org.ddpm4j.kernels.cpu;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * Numbered tasks on the threads that all of a program shares. A parallel stream alone hands on what
 * a task throws while others are still running, which may then write to memory that their caller
 * gives back.
 */
public final class CommonThreads {

  private CommonThreads() {}

  /**
   * Runs tasks 0 to count-1 at the same time, in any order; returns when all are done. After a task
   * has failed no other is begun.
   *
   * @param count how many
   * @param task what to do with a number; what the first failing task throws is thrown here, when
   *     the others have ended, with what they throw as suppressed exceptions
   */
  public static void forEach(int count, IntConsumer task) {
    AtomicReference<Throwable> failure = new AtomicReference<>();
    IntStream numbers = IntStream.range(0, count);
    (count > 1 ? numbers.parallel() : numbers)
        .forEach(
            i -> {
              if (failure.get() != null) {
                return;
              }
              try {
                task.accept(i);
              } catch (RuntimeException | Error e) {
                Throwable first = failure.compareAndExchange(null, e);
                if (first != null && first != e) {
                  first.addSuppressed(e);
                }
              }
            });
    if (failure.get() instanceof Error error) {
      throw error;
    }
    if (failure.get() instanceof RuntimeException exception) {
      throw exception;
    }
  }
}
