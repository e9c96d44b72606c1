package org.ddpm4j.studio.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.ddpm4j.studio.drawing.Drawing;

/**
 * Drawings whose clients come again to ask for them. They are kept for some minutes, or, where they
 * would take too much memory, until others need it: first those that were fetched, then the oldest
 * that have ended.
 */
final class Jobs {

  static final Duration KEPT = Duration.ofMinutes(10);

  /** Of the plan and what belongs to a job and to each of its images, beside the files. */
  private static final long BYTES_OF_JOB = 4096;

  private static final long BYTES_OF_IMAGE = 1024;

  private static final int MOST_CHANNELS = 3;

  private final long mostBytes;
  private final Map<String, Job> jobs = new LinkedHashMap<>();
  private final SecureRandom random = new SecureRandom();
  private long bytes;

  /**
   * None yet.
   *
   * @param mostBytes that those take which have ended, about
   */
  Jobs(long mostBytes) {
    this.mostBytes = mostBytes;
  }

  /**
   * A drawing.
   *
   * @param id that nobody guesses
   * @param plan as clients see it
   * @param drawing that was taken on
   * @param begun when, in nanoseconds
   * @param told whether its client has been told how it ended
   */
  record Job(String id, ObjectNode plan, Drawing drawing, long begun, CountDownLatch told) {

    /** Whether an answer says how the job ended: after it nobody asks again. */
    static boolean isLast(ObjectNode answer) {
      String state = answer.get("state").textValue();
      return !state.equals(name(Drawing.State.WAITING))
          && !state.equals(name(Drawing.State.RUNNING));
    }

    private static String name(Drawing.State state) {
      return state.name().toLowerCase(Locale.ROOT);
    }

    ObjectNode toJson() {
      ObjectNode json = JsonNodeFactory.instance.objectNode();
      Drawing.State state = drawing.state();
      json.put("id", id);
      json.put("state", name(state));
      json.put("fraction", drawing.fraction());
      switch (state) {
        case DONE -> {
          List<byte[]> files = drawing.result().join();
          json.set("result", DrawingPlan.withFiles(plan.deepCopy(), files));
        }
        case FAILED, CANCELLED ->
            drawing
                .result()
                .exceptionally(
                    failure -> {
                      json.put("detail", DrawingAnswers.refusal(failure).getMessage());
                      return List.of();
                    })
                // The state is there a moment before the reason.
                .join();
        case WAITING, RUNNING -> {}
      }
      return json;
    }

    private boolean hasEnded() {
      return drawing.result().isDone();
    }

    private boolean isFetched() {
      return told.getCount() == 0;
    }

    /** About; pictures are hardly larger than their pixels. */
    private long bytes() {
      long pixels = plan.path("width").asLong() * plan.path("height").asLong();
      return BYTES_OF_JOB + drawing.images().size() * (BYTES_OF_IMAGE + MOST_CHANNELS * pixels);
    }
  }

  synchronized Job add(ObjectNode plan, Drawing drawing) {
    byte[] id = new byte[16];
    random.nextBytes(id);
    Job job =
        new Job(
            HexFormat.of().formatHex(id), plan, drawing, System.nanoTime(), new CountDownLatch(1));
    forgetOld();
    jobs.put(job.id(), job);
    bytes += job.bytes();
    makeRoom();
    return job;
  }

  /** Jobs whose end their clients still wait for. */
  synchronized List<Job> unfinished() {
    return jobs.values().stream().filter(job -> !job.hasEnded()).toList();
  }

  /**
   * Waits until clients, who ask now and then, have been told how their jobs ended.
   *
   * @param ended the jobs
   * @param patience how long at most; those that nobody asks for any more take all of it
   */
  static void awaitClients(List<Job> ended, Duration patience) {
    long deadline = System.nanoTime() + patience.toNanos();
    try {
      for (Job job : ended) {
        if (!job.told().await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
          return;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** In the order in which they were begun. */
  private void forgetOld() {
    long now = System.nanoTime();
    Iterator<Job> oldest = jobs.values().iterator();
    while (oldest.hasNext()) {
      Job job = oldest.next();
      if (now - job.begun() <= KEPT.toNanos()) {
        return;
      }
      if (job.hasEnded()) {
        forget(job, oldest);
      }
    }
  }

  private void makeRoom() {
    forgetWhileTooMany(Job::isFetched);
    forgetWhileTooMany(job -> true);
  }

  private void forgetWhileTooMany(Predicate<Job> which) {
    for (Iterator<Job> all = jobs.values().iterator(); all.hasNext() && bytes > mostBytes; ) {
      Job job = all.next();
      if (job.hasEnded() && which.test(job)) {
        forget(job, all);
      }
    }
  }

  private void forget(Job job, Iterator<Job> at) {
    at.remove();
    bytes -= job.bytes();
  }

  synchronized Job find(String id) {
    forgetOld();
    Job job = jobs.get(id);
    if (job == null) {
      throw new Refusal(404, "There is no job of this id; those that ended are soon forgotten.");
    }
    return job;
  }
}
