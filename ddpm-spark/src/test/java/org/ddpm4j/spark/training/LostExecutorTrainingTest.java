package org.ddpm4j.spark.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.SparkSession;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.spark.TestSpark;
import org.ddpm4j.spark.data.PackedImages;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Executors are processes, and one of them is killed while it computes the gradient of a step. */
class LostExecutorTrainingTest {

  private static final int STEPS = 5;
  private static final int SHARDS = 3;

  @TempDir private Path folder;

  /** An executor that is stopped between two steps, and killed while the next waits for it. */
  private static final class Victim extends SparkListener {

    private final String process;
    private int failed;

    /** One of those that are there. */
    Victim(JavaSparkContext context) {
      process =
          context
              .parallelize(List.of(0), 1)
              .map(i -> Long.toString(ProcessHandle.current().pid()))
              .first();
    }

    /** Returns when it is stopped, so that no step can be done with it any longer. */
    void stopAndKillLater() throws IOException {
      try {
        new ProcessBuilder("kill", "-STOP", process).start().waitFor();
      } catch (InterruptedException e) {
        throw new InterruptedIOException();
      }
      new ProcessBuilder("sh", "-c", "sleep 0.2; kill -KILL " + process).start();
    }

    @Override
    public synchronized void onTaskEnd(SparkListenerTaskEnd ended) {
      failed += ended.taskInfo().successful() ? 0 : 1;
    }
  }

  @Test
  void theStepIsDoneAgain() throws IOException {
    ImageDataSet images = TinyImages.of(64);
    RunConfig config = TinyRun.config(images, STEPS);
    List<List<Object>> states = new ArrayList<>();
    SparkSession spark = TestSpark.cluster(2);
    Victim victim;
    try {
      JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
      Configuration files = context.hadoopConfiguration();
      PackedImages packed = PackedImages.write(images, folder.resolve("images").toString(), files);
      awaitExecutors(context, 2);
      Victim chosen = new Victim(context);
      victim = chosen;
      context.sc().addSparkListener(victim);
      try (RemoteRun run = RemoteRun.create(folder.resolve("run").toString(), files, config);
          SparkTraining training =
              new SparkTraining(context, run, packed, SHARDS, Placement.BARRIER)) {
        training.run(
            (trainer, report) -> {
              states.add(TinyRun.contents(trainer.checkpoint()));
              if (report.step() == 2) {
                chosen.stopAndKillLater();
              }
            });
      }
    } finally {
      spark.stop();
    }

    assertThat(victim.failed).isPositive();
    List<List<Object>> expected = new ArrayList<>();
    TinyRun.onOneMachine(
        config,
        images,
        SHARDS,
        trainer ->
            trainer
                .withListener((own, report) -> expected.add(TinyRun.contents(own.checkpoint())))
                .fit());
    assertThat(states).isEqualTo(expected);
  }

  /** The driver counts as one. */
  private static void awaitExecutors(JavaSparkContext context, int count) throws IOException {
    try {
      while (context.sc().statusTracker().getExecutorInfos().length < count + 1) {
        Thread.sleep(50);
      }
    } catch (InterruptedException e) {
      throw new InterruptedIOException();
    }
  }
}
