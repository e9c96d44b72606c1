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
import org.ddpm4j.studio.drawing.Drawing;

/** Drawings whose clients come again to ask for them. The oldest that have ended are forgotten. */
final class Jobs {

  static final Duration KEPT = Duration.ofMinutes(10);

  private static final int MOST = 256;

  private final Map<String, Job> jobs = new LinkedHashMap<>();
  private final SecureRandom random = new SecureRandom();

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
      json.put("id", id);
      json.put("state", name(drawing.state()));
      json.put("fraction", drawing.fraction());
      switch (drawing.state()) {
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
                    });
        case WAITING, RUNNING -> {}
      }
      return json;
    }

    private boolean hasEnded() {
      return drawing.result().isDone();
    }
  }

  synchronized Job add(ObjectNode plan, Drawing drawing) {
    byte[] bytes = new byte[16];
    random.nextBytes(bytes);
    Job job =
        new Job(
            HexFormat.of().formatHex(bytes),
            plan,
            drawing,
            System.nanoTime(),
            new CountDownLatch(1));
    forgetOld();
    jobs.put(job.id(), job);
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

  private void forgetOld() {
    long now = System.nanoTime();
    for (Iterator<Job> all = jobs.values().iterator(); all.hasNext(); ) {
      Job job = all.next();
      if (job.hasEnded() && (jobs.size() >= MOST || now - job.begun() > KEPT.toNanos())) {
        all.remove();
      }
    }
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
