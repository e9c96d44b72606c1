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
import java.util.function.BooleanSupplier;
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
  private final ThreadLocal<Place> places = new ThreadLocal<>();

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
   * Runs tasks as {@link #forEach}. Threads that have no task help the others, and so do those that
   * have none any more, unless another caller has work for them: a task that asks for its {@link
   * #team} can share out what it does. A team has two threads, or as many as there are for each
   * task, and stays together until its task is done.
   *
   * @param count how many
   * @param task what to do with a number
   */
  public void forEachWithHelp(int count, IntConsumer task) {
    int participants = (int) Math.min(threads, (long) count * Team.MOST);
    HelpedTasks tasks = new HelpedTasks(count, task);
    forEach(participants, i -> tasks.participate());
  }

  /**
   * For the end of a task, which can do nothing but wait: helps the other tasks meanwhile. Where
   * nobody needs help, or another caller has work, it returns early.
   *
   * @param done whether the wait is over; asked again and again
   */
  public void helpUntil(BooleanSupplier done) {
    Place place = places.get();
    if (place != null) {
      place.team.end();
      place.tasks.help(done, false);
    }
  }

  /**
   * Who helps the task that the calling thread is in.
   *
   * @return the team, or empty if nobody does at this moment
   */
  Optional<Team> team() {
    return Optional.ofNullable(places.get()).map(Place::team).filter(team -> team.size() > 1);
  }

  /** {@return how long others have worked for the task that the calling thread is in} */
  long helpedNanoseconds() {
    return Optional.ofNullable(places.get())
        .map(place -> place.team.helpedNanoseconds())
        .orElse(0L);
  }

  /** The task that a thread is in, by its team. */
  private record Place(HelpedTasks tasks, Team team) {}

  /** Tasks that threads take one after the other, to help with the others' when none is left. */
  private final class HelpedTasks {

    private final IntConsumer task;
    private final List<Team> teams;
    private final AtomicInteger next = new AtomicInteger();

    HelpedTasks(int count, IntConsumer task) {
      this.task = task;
      int forEach = (threads + count - 1) / Math.max(1, count);
      int most = Math.min(Math.max(2, forEach), Team.MOST);
      teams = IntStream.range(0, count).mapToObj(i -> new Team(most)).toList();
    }

    void participate() {
      boolean hasTask = false;
      boolean done = false;
      try {
        for (int i = next.getAndIncrement(); i < teams.size(); i = next.getAndIncrement()) {
          hasTask = true;
          run(i);
        }
        done = true;
      } finally {
        if (!done) {
          next.set(teams.size());
          teams.forEach(Team::end);
        }
      }
      help(() -> false, !hasTask);
    }

    private void run(int i) {
      Place outer = places.get();
      places.set(new Place(this, teams.get(i)));
      try {
        task.accept(i);
      } finally {
        teams.get(i).end();
        if (outer == null) {
          places.remove();
        } else {
          places.set(outer);
        }
      }
    }

    /**
     * Joins the others' teams until something is done, or nothing is left to help with.
     *
     * @param atOnce whether to join the first although work of another caller may be waiting
     */
    void help(BooleanSupplier done, boolean atOnce) {
      for (boolean joins = atOnce; joins || others.getQueue().isEmpty(); joins = false) {
        Team team = done.getAsBoolean() ? null : join();
        if (team == null) {
          return;
        }
        OpenMp.singleThreaded(() -> team.help(done));
      }
    }

    /** The smallest team, now larger by one; or null where there is no room in any, or no team. */
    private synchronized Team join() {
      Team smallest = null;
      for (Team team : teams) {
        if (!team.hasEnded()
            && team.hasRoom()
            && (smallest == null || team.helpers() < smallest.helpers())) {
          smallest = team;
        }
      }
      if (smallest != null) {
        smallest.join();
      }
      return smallest;
    }
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
