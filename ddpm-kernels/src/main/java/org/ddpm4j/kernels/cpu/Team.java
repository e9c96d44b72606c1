package org.ddpm4j.kernels.cpu;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.IntConsumer;
import java.util.function.LongConsumer;
import org.ddpm4j.kernels.plan.Kernel;

/**
 * A thread that runs a plan, and others that help it with single operations, whenever they come.
 * They wait actively: waking a thread takes about as long as many an operation.
 */
final class Team {

  /** The threads of a team. */
  static final int MOST = 12;

  /** Looks at what there is to do before others may have the processor: some microseconds. */
  private static final int LOOKS = 1000;

  /** No work yet. */
  private static final Job NOTHING = new Job(0, i -> {});

  private final int most;
  private final AtomicInteger helpers = new AtomicInteger();
  private volatile Job newest = NOTHING;
  private final AtomicLong helpedNanoseconds = new AtomicLong();
  private volatile boolean ended;
  private int jobs;

  /**
   * Nobody helps yet.
   *
   * @param most how many threads there may be, that of the plan included, at most {@link #MOST}
   */
  Team(int most) {
    this.most = most;
  }

  /** {@return how many help at this moment} */
  int helpers() {
    return helpers.get();
  }

  /**
   * Into how many parts work is to be cut for those who are here at this moment: a divisor of
   * {@link #MOST}, since parts are made and kept for each number that there has been.
   *
   * @return 1 where nobody helps
   */
  int size() {
    return Divisors.largest(MOST, 1 + helpers.get());
  }

  /** {@return how long those who help have worked} */
  long helpedNanoseconds() {
    return helpedNanoseconds.get();
  }

  /** {@return how many kernels' tasks have been shared, for tests} */
  int jobs() {
    return jobs;
  }

  /** Tasks that are taken one after the other. */
  private static final class Job {

    private final int count;
    private final IntConsumer task;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger ended = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    Job(int count, IntConsumer task) {
      this.count = count;
      this.task = task;
    }

    /**
     * Does tasks until all are taken. After one has failed the others are not done.
     *
     * @param clock told how long each took
     */
    void work(LongConsumer clock) {
      for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
        long start = System.nanoTime();
        try {
          if (failure.get() == null) {
            task.accept(i);
          }
        } catch (RuntimeException | Error e) {
          // The first alone: where memory runs out, to add others to it would fail as well.
          failure.compareAndSet(null, e);
        } finally {
          clock.accept(System.nanoTime() - start);
          ended.incrementAndGet();
        }
      }
    }

    void await() {
      for (int looks = 0; ended.get() < count; looks++) {
        pause(looks);
      }
      if (failure.get() instanceof Error error) {
        throw error;
      }
      if (failure.get() != null) {
        throw (RuntimeException) failure.get();
      }
    }
  }

  /** Waits a little, for the first time with 0. */
  static void pause(int looks) {
    if (looks < LOOKS) {
      Thread.onSpinWait();
    } else {
      Thread.yield();
    }
  }

  /**
   * Does tasks 0 to count-1 with those who {@link #help}; returns when all are done.
   *
   * @param count how many
   * @param task what to do with a number, on any thread of the team; what the first that fails
   *     throws is thrown here
   */
  void forEach(int count, IntConsumer task) {
    Job job = new Job(count, task);
    newest = job;
    jobs++;
    job.work(nanoseconds -> {});
    job.await();
  }

  /** Does all of this, as {@link #forEach}. */
  void run(List<? extends Kernel> tasks) {
    forEach(tasks.size(), i -> tasks.get(i).run());
  }

  /** Does all of this with a team's help, or one after the other without one. */
  static void run(Optional<Team> team, List<? extends Kernel> tasks) {
    team.ifPresentOrElse(own -> own.run(tasks), () -> tasks.forEach(Kernel::run));
  }

  /** {@return whether one more may join} */
  boolean hasRoom() {
    return helpers.get() < most - 1;
  }

  /** Promises that the calling thread is going to {@link #help}. */
  void join() {
    helpers.incrementAndGet();
  }

  /**
   * Helps, having joined, until the team ends.
   *
   * @param leaves asked again and again: whether to go before that
   */
  void help(BooleanSupplier leaves) {
    Job done = NOTHING;
    for (int looks = 0; !ended && !leaves.getAsBoolean(); looks++) {
      Job job = newest;
      if (job == done) {
        pause(looks);
      } else {
        job.work(helpedNanoseconds::addAndGet);
        done = job;
        looks = 0;
      }
    }
    helpers.decrementAndGet();
  }

  /** {@return whether there is nothing left to help with} */
  boolean hasEnded() {
    return ended;
  }

  /** Lets the helpers go. */
  void end() {
    ended = true;
  }
}
