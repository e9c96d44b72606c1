package org.ddpm4j.kernels.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class WorkersTest {

  /** So many that all of them would take a minute. */
  private static final int MANY = 100_000;

  /** Helpers tell OpenMP, which oneDNN brings, that they are alone. */
  @BeforeAll
  static void loadsOnednn() {
    assertThat(Onednn.engine()).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void doesEveryTaskOnce(int threads) {
    try (Workers workers = new Workers(threads)) {
      assertThat(workers.threads()).isEqualTo(threads);
      for (int count : new int[] {0, 1, 2, 3, 7, 1000}) {
        AtomicIntegerArray done = new AtomicIntegerArray(count);
        workers.forEach(count, done::incrementAndGet);
        for (int i = 0; i < count; i++) {
          assertThat(done.get(i)).isEqualTo(1);
        }
      }
    }
  }

  @Test
  void worksOnAsManyTasksAtOnceAsThereAreThreads() {
    try (Workers workers = new Workers(3)) {
      CyclicBarrier together = new CyclicBarrier(3);
      AtomicInteger running = new AtomicInteger();
      AtomicInteger most = new AtomicInteger();
      workers.forEach(
          30,
          i -> {
            most.accumulateAndGet(running.incrementAndGet(), Math::max);
            await(together);
            running.decrementAndGet();
            await(together);
          });
      assertThat(most.get()).isEqualTo(3);
    }
  }

  @Test
  void oneThreadIsTheCaller() {
    try (Workers workers = new Workers(1)) {
      List<Integer> order = new ArrayList<>();
      List<Thread> threads = new ArrayList<>();
      workers.forEach(
          5,
          i -> {
            order.add(i);
            threads.add(Thread.currentThread());
          });
      assertThat(order).containsExactly(0, 1, 2, 3, 4);
      assertThat(threads).containsOnly(Thread.currentThread());
    }
  }

  /** What a task throws reaches the caller as it is, whichever thread ran the task. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void throwsWhatATaskThrows(boolean onTheCallingThread) {
    Thread caller = Thread.currentThread();
    for (Throwable failure :
        List.of(new IllegalStateException("wrong"), new AssertionError("very wrong"))) {
      try (Workers workers = new Workers(2)) {
        CyclicBarrier together = new CyclicBarrier(2);
        Throwable thrown =
            catchThrowable(
                () ->
                    workers.forEach(
                        2,
                        i -> {
                          await(together);
                          if ((Thread.currentThread() == caller) == onTheCallingThread) {
                            throwUnchecked(failure);
                          }
                        }));
        assertThat(thrown).isSameAs(failure);
      }
    }
  }

  /** The caller frees the memory that tasks use. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void noTaskRunsAfterAFailure(int failing) throws Exception {
    for (int repetition = 0; repetition < 5; repetition++) {
      try (Workers workers = new Workers(3)) {
        CyclicBarrier together = new CyclicBarrier(3);
        AtomicInteger arrivals = new AtomicInteger();
        AtomicInteger started = new AtomicInteger();
        AtomicInteger ended = new AtomicInteger();
        CountDownLatch release = new CountDownLatch(1);
        Thread releasing = releaseLater(release);
        assertThatThrownBy(
                () ->
                    workers.forEach(
                        MANY,
                        i -> {
                          started.incrementAndGet();
                          try {
                            if (i < 3) {
                              await(together);
                              if (arrivals.getAndIncrement() == failing) {
                                throw new IllegalStateException("wrong");
                              }
                            }
                            // All the others are still at it when the failure is known.
                            awaitQuietly(release);
                            Thread.sleep(1);
                          } catch (InterruptedException e) {
                            throw new AssertionError(e);
                          } finally {
                            ended.incrementAndGet();
                          }
                        }))
            .isInstanceOf(IllegalStateException.class)
            .hasMessage("wrong");
        int startedThen = started.get();
        assertThat(ended.get()).isEqualTo(startedThen);
        assertThat(startedThen).as("tasks after the failure are not begun").isLessThan(MANY);
        releasing.join();
        Thread.sleep(20);
        assertThat(started.get()).isEqualTo(startedThen);
      }
    }
  }

  private static Thread releaseLater(CountDownLatch latch) {
    Thread thread =
        new Thread(
            () -> {
              try {
                Thread.sleep(50);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              latch.countDown();
            });
    thread.start();
    return thread;
  }

  @Test
  void keepsWhatElseWasThrown() {
    try (Workers workers = new Workers(3)) {
      CyclicBarrier together = new CyclicBarrier(3);
      Throwable thrown =
          catchThrowable(
              () ->
                  workers.forEach(
                      3,
                      i -> {
                        await(together);
                        throw new IllegalStateException("task " + i);
                      }));
      List<String> messages = new ArrayList<>(List.of(thrown.getMessage()));
      for (Throwable suppressed : thrown.getSuppressed()) {
        messages.add(suppressed.getMessage());
      }
      assertThat(messages).containsExactlyInAnyOrder("task 0", "task 1", "task 2");
    }
  }

  @Test
  void worksOnAfterAFailure() {
    try (Workers workers = new Workers(3)) {
      assertThatThrownBy(
              () ->
                  workers.forEach(
                      10,
                      i -> {
                        throw new IllegalStateException();
                      }))
          .isInstanceOf(IllegalStateException.class);
      AtomicInteger done = new AtomicInteger();
      workers.forEach(10, i -> done.incrementAndGet());
      assertThat(done.get()).isEqualTo(10);
    }
  }

  /** As in a container that allows no more, where Java throws this for want of a thread. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void threadsThatCannotBeHadAreDoneWithout(int available) {
    AtomicInteger asked = new AtomicInteger();
    ThreadFactory few =
        work ->
            asked.getAndIncrement() < available
                ? new Thread(work)
                : new Thread(work) {
                  @Override
                  public void start() {
                    throw new OutOfMemoryError("unable to create native thread");
                  }
                };
    try (Workers workers = new Workers(4, few)) {
      AtomicInteger running = new AtomicInteger();
      AtomicIntegerArray done = new AtomicIntegerArray(100);
      workers.forEach(
          100,
          i -> {
            running.incrementAndGet();
            done.incrementAndGet(i);
            running.decrementAndGet();
          });
      assertThat(running.get()).as("tasks that outlive the call").isZero();
      for (int i = 0; i < 100; i++) {
        assertThat(done.get(i)).isEqualTo(1);
      }
    }
  }

  @Test
  void threadsThatWouldHaveNothingToDoHelpTasks() {
    try (Workers workers = new Workers(5)) {
      CyclicBarrier everybody = new CyclicBarrier(5);
      AtomicIntegerArray done = new AtomicIntegerArray(5);
      workers.forEachWithHelp(
          2,
          task -> {
            // Three helpers: two for the first task, one for the second.
            int begin = task * 3;
            int parts = 3 - task;
            Team team = Teams.awaitSize(workers, parts);
            for (int round = 0; round < 20; round++) {
              team.forEach(
                  parts,
                  i -> {
                    await(everybody);
                    done.incrementAndGet(begin + i);
                  });
            }
          });
      for (int i = 0; i < 5; i++) {
        assertThat(done.get(i)).isEqualTo(20);
      }
      assertThat(workers.team()).isEmpty();
    }
  }

  @Test
  void threadsThatHaveNoTaskAnyMoreHelpTheOthers() {
    try (Workers workers = new Workers(2)) {
      CyclicBarrier everybody = new CyclicBarrier(2);
      AtomicIntegerArray done = new AtomicIntegerArray(2);
      workers.forEachWithHelp(
          5,
          task -> {
            if (task < 4) {
              // Two rounds of as many tasks as there are threads.
              await(everybody);
              assertThat(workers.team()).isEmpty();
              await(everybody);
              return;
            }
            Teams.awaitSize(workers, 2)
                .forEach(
                    2,
                    i -> {
                      await(everybody);
                      done.incrementAndGet(i);
                    });
          });
      for (int i = 0; i < 2; i++) {
        assertThat(done.get(i)).isEqualTo(1);
      }
    }
  }

  @Test
  void aTaskThatCanOnlyWaitHelpsTheOthers() {
    try (Workers workers = new Workers(2)) {
      CyclicBarrier both = new CyclicBarrier(2);
      AtomicBoolean done = new AtomicBoolean();
      workers.forEachWithHelp(
          2,
          task -> {
            if (task == 1) {
              workers.helpUntil(done::get);
              assertThat(done).isTrue();
              return;
            }
            Teams.awaitSize(workers, 2).forEach(2, i -> await(both));
            done.set(true);
          });
      // Elsewhere there is nobody to help.
      workers.helpUntil(() -> false);
    }
  }

  @Test
  void theTimeOfThoseWhoHelpIsKnown() {
    try (Workers workers = new Workers(3)) {
      CyclicBarrier everybody = new CyclicBarrier(3);
      workers.forEachWithHelp(
          1,
          task -> {
            Team team = Teams.awaitSize(workers, 3);
            assertThat(workers.helpedNanoseconds()).isZero();
            team.forEach(
                3,
                i -> {
                  await(everybody);
                  LockSupport.parkNanos(1_000_000);
                  await(everybody);
                });
            assertThat(workers.helpedNanoseconds()).isGreaterThan(0);
          });
      assertThat(workers.helpedNanoseconds()).isZero();
    }
  }

  /** Work of another caller comes before help. */
  @Test
  void doesNotBeginToHelpWhereOthersWaitForAThread() throws Exception {
    try (Workers workers = new Workers(2)) {
      CountDownLatch begun = new CountDownLatch(2);
      CountDownLatch waiting = new CountDownLatch(1);
      CountDownLatch release = new CountDownLatch(1);
      Thread other =
          new Thread(
              () ->
                  workers.forEachWithHelp(
                      2,
                      task -> {
                        begun.countDown();
                        awaitQuietly(Thread.currentThread().isDaemon() ? waiting : release);
                      }));
      other.setDaemon(false);
      other.start();
      begun.await();
      CyclicBarrier both = new CyclicBarrier(2);
      Thread releasing = releaseLater(waiting);
      // The worker, which has no task any more, comes here, and the other caller goes on alone.
      workers.forEach(2, i -> await(both));
      assertThat(other.isAlive()).isTrue();
      release.countDown();
      other.join();
      releasing.join();
    }
  }

  @Test
  void aTeamHasAsManyPartsAsDivideTheMost() {
    assertThat(new Team(1).hasRoom()).isFalse();
    Team team = new Team(Team.MOST);
    List<Integer> sizes = new ArrayList<>();
    for (sizes.add(team.size()); team.hasRoom(); sizes.add(team.size())) {
      team.join();
    }
    assertThat(sizes).containsExactly(1, 2, 3, 4, 4, 6, 6, 6, 6, 6, 6, 12);
  }

  /** Nobody waits for work that will never come: all threads are there for the next tasks. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void helpersGoWhereATaskFails(boolean inAPart) {
    try (Workers workers = new Workers(4)) {
      for (int repetition = 0; repetition < 50; repetition++) {
        assertThatThrownBy(
                () ->
                    workers.forEachWithHelp(
                        2,
                        task -> {
                          if (inAPart) {
                            workers
                                .team()
                                .ifPresentOrElse(
                                    team -> team.forEach(9, WorkersTest::failAtFive),
                                    () -> failAtFive(5));
                          } else if (task == 0) {
                            throw new IllegalStateException("wrong");
                          }
                        }))
            .isInstanceOf(IllegalStateException.class)
            .hasMessage("wrong");
        CyclicBarrier everybody = new CyclicBarrier(4);
        workers.forEach(4, i -> await(everybody));
      }
    }
  }

  /** As Java's own where memory has run out. */
  @Test
  void aTeamThrowsAnErrorThatSeveralPartsThrow() {
    OutOfMemoryError same = new OutOfMemoryError("no memory");
    try (Workers workers = new Workers(3)) {
      CyclicBarrier everybody = new CyclicBarrier(3);
      assertThatThrownBy(
              () ->
                  workers.forEachWithHelp(
                      1,
                      task ->
                          Teams.awaitSize(workers, 3)
                              .forEach(
                                  3,
                                  i -> {
                                    await(everybody);
                                    throw same;
                                  })))
          .isSameAs(same);
    }
  }

  private static void failAtFive(int i) {
    if (i == 5) {
      throw new IllegalStateException("wrong");
    }
  }

  @Test
  void tasksAreDoneWhereNoThreadCanBeHadToHelp() {
    ThreadFactory none =
        work ->
            new Thread(work) {
              @Override
              public void start() {
                throw new OutOfMemoryError("unable to create native thread");
              }
            };
    try (Workers workers = new Workers(4, none)) {
      AtomicInteger done = new AtomicInteger();
      workers.forEachWithHelp(
          2,
          task -> {
            assertThat(workers.team()).isEmpty();
            done.incrementAndGet();
          });
      assertThat(done.get()).isEqualTo(2);
    }
  }

  @Test
  void saysThatItIsClosed() {
    Workers workers = new Workers(2);
    workers.close();
    assertThatThrownBy(() -> workers.forEach(2, i -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("The threads have ended: what they belong to is closed.");
  }

  @Test
  void servesSeveralCallersAtOnce() throws Exception {
    int callers = 5;
    try (Workers workers = new Workers(3)) {
      ExecutorService executor = Executors.newFixedThreadPool(callers);
      try {
        List<Future<?>> calls = new ArrayList<>();
        for (int caller = 0; caller < callers; caller++) {
          calls.add(
              executor.submit(
                  () -> {
                    for (int round = 0; round < 200; round++) {
                      AtomicIntegerArray done = new AtomicIntegerArray(17);
                      workers.forEach(17, done::incrementAndGet);
                      for (int i = 0; i < 17; i++) {
                        assertThat(done.get(i)).isEqualTo(1);
                      }
                    }
                  }));
        }
        for (Future<?> call : calls) {
          call.get();
        }
      } finally {
        executor.shutdownNow();
      }
    }
  }

  /** A caller whose tasks are done need not wait for helpers that are busy with other callers'. */
  @Test
  void doesNotWaitForHelpersThatNeverStarted() throws Exception {
    try (Workers workers = new Workers(2)) {
      CountDownLatch release = new CountDownLatch(1);
      CountDownLatch busy = new CountDownLatch(2);
      Thread other =
          new Thread(
              () ->
                  workers.forEach(
                      2,
                      i -> {
                        busy.countDown();
                        awaitQuietly(release);
                      }));
      other.start();
      busy.await();
      AtomicInteger done = new AtomicInteger();
      workers.forEach(10, i -> done.incrementAndGet());
      assertThat(done.get()).isEqualTo(10);
      assertThat(other.isAlive()).isTrue();
      release.countDown();
      other.join();
    }
  }

  @Test
  void tasksMayHaveTasks() {
    try (Workers workers = new Workers(3)) {
      AtomicInteger done = new AtomicInteger();
      workers.forEach(6, i -> workers.forEach(6, k -> done.incrementAndGet()));
      assertThat(done.get()).isEqualTo(36);
    }
  }

  @Test
  void anInterruptWaitsUntilAllIsDone() {
    try (Workers workers = new Workers(3)) {
      CyclicBarrier together = new CyclicBarrier(3);
      CountDownLatch release = new CountDownLatch(1);
      Thread caller = Thread.currentThread();
      AtomicInteger done = new AtomicInteger();
      workers.forEach(
          3,
          i -> {
            await(together);
            if (Thread.currentThread() == caller) {
              caller.interrupt();
              releaseLater(release);
            } else {
              awaitQuietly(release);
            }
            done.incrementAndGet();
          });
      assertThat(done.get()).isEqualTo(3);
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  void closingEndsTheThreads() throws Exception {
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    try (Workers workers = new Workers(3)) {
      CyclicBarrier together = new CyclicBarrier(3);
      workers.forEach(
          3,
          i -> {
            await(together);
            threads.add(Thread.currentThread());
          });
    }
    assertThat(threads).hasSize(3);
    threads.remove(Thread.currentThread());
    for (Thread thread : threads) {
      assertThat(thread.isDaemon()).isTrue();
      thread.join(30_000);
      assertThat(thread.isAlive()).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1})
  void needsAThread(int threads) {
    assertThatThrownBy(() -> new Workers(threads))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("%d threads cannot do any work; at least 1 is needed.", threads);
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await(30, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void throwUnchecked(Throwable failure) {
    if (failure instanceof Error error) {
      throw error;
    }
    throw (RuntimeException) failure;
  }
}
