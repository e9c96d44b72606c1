package org.ddpm4j.spark.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.sql.SparkSession;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.spark.TestSpark;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Who interrupts the thread that draws gets the cluster back, and the thread stays interrupted. */
class InterruptedDrawingTest {

  private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(1);

  /** More than would be drawn in an hour. */
  private static final SparkSampling MANY = SparkSampling.of(10_000_000, 1, 4);

  @TempDir private static Path folder;

  private static SparkSession spark;
  private static SparkSampler sampler;
  private static final Set<Long> RUNNING = ConcurrentHashMap.newKeySet();

  private enum Output {
    PARQUET {
      @Override
      void write(String folder) throws IOException {
        sampler.writeParquet(MANY, ImageEncoding.PNG, folder);
      }
    },
    IMAGE_FILES {
      @Override
      void write(String folder) throws IOException {
        sampler.writeImageFiles(MANY, folder);
      }
    };

    abstract void write(String folder) throws IOException;
  }

  /** A drawing that somebody interrupts, in a thread of its own. */
  private static final class Drawing extends Thread {

    private final Output output;
    private volatile Throwable ended;
    private volatile boolean interruptedAfterwards;

    Drawing(Output output) {
      super("drawing");
      this.output = output;
    }

    @Override
    public void run() {
      try {
        output.write(folder.resolve(output.name()).toString());
      } catch (Throwable e) {
        ended = e;
      }
      interruptedAfterwards = isInterrupted();
    }
  }

  @BeforeAll
  static void begin() throws IOException {
    Path run = TinyModel.write(folder.resolve("run"));
    spark = TestSpark.local(2);
    spark
        .sparkContext()
        .addSparkListener(
            new SparkListener() {
              @Override
              public void onTaskStart(SparkListenerTaskStart begun) {
                RUNNING.add(begun.taskInfo().taskId());
              }

              @Override
              public void onTaskEnd(SparkListenerTaskEnd ended) {
                RUNNING.remove(ended.taskInfo().taskId());
              }
            });
    sampler =
        new SparkSampler(spark, PackedModel.of(run), model -> model.pipeline(SamplerType.DDPM, 4));
  }

  @AfterAll
  static void end() {
    sampler.close();
    spark.stop();
  }

  @ParameterizedTest
  @EnumSource(Output.class)
  void leavesNothingRunning(Output output) throws Exception {
    Drawing drawing = new Drawing(output);
    drawing.start();
    await("two tasks", () -> RUNNING.size() == 2 || !drawing.isAlive());
    drawing.interrupt();
    await("the end of the drawing", () -> !drawing.isAlive());

    assertThat(drawing.ended).isInstanceOf(InterruptedIOException.class);
    assertThat(drawing.interruptedAfterwards).isTrue();
    await("the end of jobs", () -> activeJobs() == 0);
    await("the end of tasks", RUNNING::isEmpty);
    assertThat(folder.resolve(output.name()).resolve("_SUCCESS")).doesNotExist();
    assertThat(sampler.draw(SparkSampling.of(3, 1, 2), ImageEncoding.PNG).count()).isEqualTo(3);
  }

  private static int activeJobs() {
    return spark.sparkContext().statusTracker().getActiveJobIds().length;
  }

  private static void await(String what, Callable<Boolean> there) throws Exception {
    long begun = System.nanoTime();
    while (!there.call()) {
      assertThat(System.nanoTime() - begun)
          .as("nanoseconds of waiting for " + what)
          .isLessThan(PATIENCE_NANOS);
      Thread.sleep(1);
    }
  }
}
