package org.ddpm4j.studio.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.ddpm4j.diffusion.guidance.Guidance;
import org.ddpm4j.studio.drawing.Drawing;
import org.ddpm4j.studio.drawing.DrawingListener;
import org.ddpm4j.studio.drawing.DrawingQueue;
import org.ddpm4j.studio.drawing.ImageKey;
import org.ddpm4j.studio.drawing.ModelShelf;
import org.ddpm4j.studio.drawing.ModelSource;
import org.ddpm4j.studio.drawing.QueueLimits;
import org.ddpm4j.studio.drawing.SamplingRecipe;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class JobsTest {

  private final ModelShelf shelf = new ModelShelf();
  private final DrawingQueue queue =
      new DrawingQueue(new QueueLimits(1, 8, 16, Duration.ofMinutes(1)), new SimpleMeterRegistry());

  @AfterEach
  void close() {
    queue.close();
    shelf.close();
  }

  private Jobs.Job ended(Jobs jobs) throws Exception {
    Drawing drawing =
        queue.submit(
            shelf.lease(ModelSource.bundled()),
            new SamplingRecipe(Optional.empty(), 1000, Guidance.NONE),
            List.of(new ImageKey(0, 0, 0)),
            0,
            DrawingListener.NONE);
    ObjectNode plan = JsonNodeFactory.instance.objectNode().put("width", 28).put("height", 28);
    Jobs.Job job = jobs.add(plan, drawing);
    drawing.cancel();
    return job;
  }

  private static boolean has(Jobs jobs, Jobs.Job job) {
    try {
      return jobs.find(job.id()) == job;
    } catch (Refusal e) {
      return false;
    }
  }

  /** Clients that ask every few seconds found those of single images gone where many drew. */
  @Test
  void aJobIsKeptHoweverManyComeAfterIt() throws Exception {
    Jobs jobs = new Jobs(64 << 20);
    List<Jobs.Job> all = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      all.add(ended(jobs));
    }
    assertThat(all).allMatch(job -> has(jobs, job));
  }

  /** Of those that end: what waits or is drawn is bounded by the queue. */
  @Test
  void whereMemoryIsShortTheFetchedGoFirstAndThenTheOldest() throws Exception {
    // Three, of some 7.5 KB each.
    Jobs jobs = new Jobs(24_000);
    Jobs.Job oldest = ended(jobs);
    Jobs.Job fetched = ended(jobs);
    fetched.told().countDown();
    Jobs.Job third = ended(jobs);
    Jobs.Job fourth = ended(jobs);
    assertThat(has(jobs, fetched)).isFalse();
    assertThat(List.of(oldest, third, fourth)).allMatch(job -> has(jobs, job));

    Jobs.Job fifth = ended(jobs);
    assertThat(List.of(third, fourth, fifth)).allMatch(job -> has(jobs, job));
    assertThatThrownBy(() -> jobs.find(oldest.id()))
        .isInstanceOf(Refusal.class)
        .hasMessageContaining("soon forgotten");
  }
}
