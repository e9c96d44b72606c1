package org.ddpm4j.spark.exchange;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The connections of a process to all others of its job, and the threads that send and receive over
 * them. When one fails all are closed, so that the processes at their other ends learn it at once
 * and nobody waits for what cannot come.
 */
final class LinkGroup implements Closeable {

  private static final long POLL_MILLIS = 200;
  private static final long END_SECONDS = 10;

  private final Watch watch;
  private final Set<Closeable> members = ConcurrentHashMap.newKeySet();
  private final AtomicReference<IOException> failure = new AtomicReference<>();
  private final ExecutorService threads =
      Executors.newCachedThreadPool(
          work -> {
            Thread thread = new Thread(work, "ddpm4j-exchange");
            thread.setDaemon(true);
            return thread;
          });

  /**
   * A group without connections.
   *
   * @param watch asked while something is waited for
   */
  LinkGroup(Watch watch) {
    this.watch = watch;
  }

  /** Takes a connection in, or whatever else is to be closed with all others. */
  <T extends Closeable> T add(T member) throws IOException {
    members.add(member);
    if (failure.get() != null) {
      member.close();
      throw failed();
    }
    return member;
  }

  /** Begins something in a thread of its own, whose failure closes the group. */
  <T> Future<T> submit(Callable<T> work) throws IOException {
    try {
      return threads.submit(
          () -> {
            try {
              return work.call();
            } catch (Exception | Error e) {
              fail(e);
              throw e;
            }
          });
    } catch (RejectedExecutionException e) {
      throw failed();
    }
  }

  /** Waits for a result. */
  <T> T join(Future<T> work) throws IOException {
    try {
      return get(work, Long.MAX_VALUE);
    } catch (TimeoutException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Waits for a result for so long; whether it has come. */
  boolean await(Future<?> work, long millis) throws IOException {
    try {
      get(work, millis);
      return true;
    } catch (TimeoutException e) {
      return false;
    }
  }

  private <T> T get(Future<T> work, long millis) throws IOException, TimeoutException {
    long begun = System.nanoTime();
    while (true) {
      try {
        return work.get(Math.min(millis, POLL_MILLIS), TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        if (System.nanoTime() - begun >= TimeUnit.MILLISECONDS.toNanos(millis)) {
          throw e;
        }
        check();
      } catch (ExecutionException e) {
        throw failed();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        fail(new InterruptedIOException("The exchange was interrupted."));
        throw failed();
      }
    }
  }

  private void check() throws IOException {
    try {
      watch.check();
    } catch (IOException e) {
      fail(e);
      throw failed();
    }
  }

  /** Waits for all. */
  <T> List<T> joinAll(Collection<Future<T>> all) throws IOException {
    List<T> results = new ArrayList<>();
    for (Future<T> work : all) {
      results.add(join(work));
    }
    return results;
  }

  /** Does something in a thread of its own, and waits for it. */
  <T> T call(Callable<T> work) throws IOException {
    return join(submit(work));
  }

  private void fail(Throwable cause) {
    failure.compareAndSet(
        null,
        cause instanceof IOException known ? known : new IOException(cause.toString(), cause));
    close();
  }

  /** The first failure, of which all others are consequences. */
  private IOException failed() {
    return failure.get();
  }

  /** Closes all connections, which ends whatever is done with them. */
  @Override
  public void close() {
    failure.compareAndSet(null, new IOException("The connections have been closed."));
    for (Closeable member : members) {
      try {
        member.close();
      } catch (IOException e) {
        // It is of no use any longer.
      }
    }
    threads.shutdownNow();
  }

  /**
   * Closes all connections, and waits until no thread reads or writes the memory of what was sent.
   *
   * @return false if one still does, which must not be
   */
  boolean end() {
    close();
    boolean interrupted = Thread.interrupted();
    try {
      while (true) {
        try {
          return threads.awaitTermination(END_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
