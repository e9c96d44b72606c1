package org.ddpm4j.kernels;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/**
 * Threads that share out numbered tasks. The calling thread is one of them; the others wait for
 * work, and end when there has been none for a while.
 */
public final class Workers implements AutoCloseable {

  private static final long IDLE_SECONDS = 10;

  private final int threads;
  private final ThreadPoolExecutor others;

  /**
   * No thread is started before there is work.
   *
   * @param threads how many tasks run at once, the calling thread's included, at least 1
   */
  public Workers(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException(
          "%d threads cannot do any work; at least 1 is needed.".formatted(threads));
    }
    this.threads = threads;
    int size = Math.max(1, threads - 1);
    others =
        new ThreadPoolExecutor(
            size,
            size,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            work -> {
              Thread thread = new Thread(work, "ddpm-worker");
              thread.setDaemon(true);
              return thread;
            });
    others.allowCoreThreadTimeOut(true);
  }

  /**
   * The number of threads.
   *
   * @return how many tasks run at once
   */
  public int threads() {
    return threads;
  }

  /**
   * Runs tasks 0 to count-1, in any order and at the same time; returns when all are done.
   *
   * @param count how many
   * @param task what to do with a number
   */
  public void forEach(int count, IntConsumer task) {
    AtomicInteger next = new AtomicInteger();
    Runnable work =
        () -> {
          for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
            task.accept(i);
          }
        };
    List<Future<?>> helpers = new ArrayList<>();
    for (int i = 1; i < Math.min(threads, count); i++) {
      helpers.add(others.submit(work));
    }
    try {
      work.run();
    } catch (RuntimeException | Error e) {
      next.set(count);
      awaitQuietly(helpers, e);
      throw e;
    }
    helpers.forEach(Workers::await);
  }

  private static void await(Future<?> helper) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          helper.get();
          return;
        } catch (InterruptedException e) {
          // The tasks use memory that the caller may free: they must have ended.
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      if (e.getCause() instanceof Error cause) {
        throw cause;
      }
      throw new IllegalStateException(e.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static void awaitQuietly(List<Future<?>> helpers, Throwable failure) {
    for (Future<?> helper : helpers) {
      try {
        await(helper);
      } catch (RuntimeException | Error e) {
        failure.addSuppressed(e);
      }
    }
  }

  @Override
  public void close() {
    others.shutdown();
  }
}
