package org.ddpm4j.kernels.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * Threads that share out numbered tasks. The calling thread is one of them; the others wait for
 * work, and end when there has been none for a while.
 */
public final class Workers implements AutoCloseable {

  private static final long IDLE_SECONDS = 10;

  private final int threads;
  private final ThreadPoolExecutor others;
  private final ThreadLocal<Team> team = new ThreadLocal<>();

  /**
   * No thread is started before there is work.
   *
   * @param threads how many tasks run at once, the calling thread's included, at least 1
   */
  public Workers(int threads) {
    this(threads, Workers::thread);
  }

  /** With threads of somebody else's making. */
  Workers(int threads, ThreadFactory factory) {
    if (threads < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "%d threads cannot do any work; at least 1 is needed.", threads));
    }
    this.threads = threads;
    int size = Math.max(1, threads - 1);
    others =
        new ThreadPoolExecutor(
            size, size, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), factory);
    others.allowCoreThreadTimeOut(true);
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "ddpm-worker");
    thread.setDaemon(true);
    return thread;
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
   * Runs tasks 0 to count-1 at the same time; returns when all are done. They are begun in their
   * order, so that a task may wait for those before it. After a task has failed no other is begun.
   * A task may have tasks of its own.
   *
   * @param count how many
   * @param task what to do with a number; what the first failing task throws is thrown here, with
   *     what others throw at the same time as suppressed exceptions
   */
  public void forEach(int count, IntConsumer task) {
    Tasks tasks = new Tasks(count, task);
    List<FutureTask<Void>> helpers = new ArrayList<>();
    for (int i = 1; i < Math.min(threads, count); i++) {
      FutureTask<Void> helper = new FutureTask<>(tasks, null);
      if (!begin(helper)) {
        break;
      }
      helpers.add(helper);
    }
    tasks.run();
    for (FutureTask<Void> helper : helpers) {
      // One that has not started would find nothing left to do.
      if (!others.remove(helper)) {
        await(helper);
      }
    }
    tasks.throwFailure();
  }

  /**
   * Whether a thread was found for work. Where the system gives none (a container's limit, or no
   * memory for its stack) those that there are do all of it: the caller must not leave while some
   * have begun.
   */
  private boolean begin(Runnable work) {
    try {
      others.execute(work);
      return true;
    } catch (OutOfMemoryError e) {
      return false;
    } catch (RejectedExecutionException e) {
      throw new IllegalStateException("The threads have ended: what they belong to is closed.", e);
    }
  }

  /**
   * Runs tasks as {@link #forEach}. Where there are more threads than tasks, those that would have
   * nothing to do help the others: a task that asks for its {@link #team} can share out what it
   * does.
   *
   * @param count how many
   * @param task what to do with a number
   */
  public void forEachWithHelp(int count, IntConsumer task) {
    int helpers = Math.max(0, Math.min(threads - count, count * (Team.MOST - 1)));
    if (count == 0 || helpers == 0) {
      forEach(count, task);
      return;
    }
    List<Team> teams =
        IntStream.range(0, count)
            .mapToObj(i -> new Team(1 + (helpers - i + count - 1) / count))
            .toList();
    forEach(
        count + helpers,
        i -> {
          if (i >= count) {
            OpenMp.singleThreaded(teams.get(i % count)::help);
            return;
          }
          boolean done = false;
          try {
            runWith(i + count < count + helpers ? teams.get(i) : null, () -> task.accept(i));
            done = true;
          } finally {
            // After a failure tasks are not begun, which would have ended their teams.
            (done ? List.of(teams.get(i)) : teams).forEach(Team::end);
          }
        });
  }

  private void runWith(Team own, Runnable work) {
    team.set(own);
    try {
      work.run();
    } finally {
      team.remove();
    }
  }

  /**
   * Who helps the task that the calling thread is in.
   *
   * @return the team, or empty if the task is to be done alone
   */
  Optional<Team> team() {
    return Optional.ofNullable(team.get());
  }

  /** Tasks that threads take one after the other until none is left. */
  private static final class Tasks implements Runnable {

    private final int count;
    private final IntConsumer task;
    private final AtomicInteger next = new AtomicInteger();
    private Throwable failure;

    Tasks(int count, IntConsumer task) {
      this.count = count;
      this.task = task;
    }

    @Override
    public void run() {
      try {
        for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
          task.accept(i);
        }
      } catch (RuntimeException | Error e) {
        next.set(count);
        keep(e);
      }
    }

    private synchronized void keep(Throwable e) {
      if (failure == null) {
        failure = e;
      } else if (failure != e) {
        failure.addSuppressed(e);
      }
    }

    synchronized void throwFailure() {
      if (failure instanceof Error error) {
        throw error;
      }
      if (failure != null) {
        throw (RuntimeException) failure;
      }
    }
  }

  private static void await(FutureTask<Void> helper) {
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
      throw new IllegalStateException(e.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public void close() {
    others.shutdown();
  }
}
