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
   */
  record Job(String id, ObjectNode plan, Drawing drawing, long begun) {

    ObjectNode toJson() {
      ObjectNode json = JsonNodeFactory.instance.objectNode();
      json.put("id", id);
      json.put("state", drawing.state().name().toLowerCase(Locale.ROOT));
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
    Job job = new Job(HexFormat.of().formatHex(bytes), plan, drawing, System.nanoTime());
    forgetOld();
    jobs.put(job.id(), job);
    return job;
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
