package org.ddpm4j.spark.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.ddpm4j.spark.RunningTasks.await;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import org.apache.spark.sql.SparkSession;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.spark.RunningTasks;
import org.ddpm4j.spark.TestSpark;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Who interrupts the thread that draws gets the cluster back, and the thread stays interrupted. */
class InterruptedDrawingTest {

  /** More than would be drawn in an hour. */
  private static final SparkSampling MANY = SparkSampling.of(10_000_000, 1, 4);

  @TempDir private static Path folder;

  private static SparkSession spark;
  private static SparkSampler sampler;
  private static RunningTasks tasks;

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
    tasks = RunningTasks.of(spark);
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
    await("two tasks", () -> tasks.count() == 2 || !drawing.isAlive());
    drawing.interrupt();
    await("the end of the drawing", () -> !drawing.isAlive());

    assertThat(drawing.ended).isInstanceOf(InterruptedIOException.class);
    assertThat(drawing.interruptedAfterwards).isTrue();
    tasks.awaitNone();
    assertThat(folder.resolve(output.name()).resolve("_SUCCESS")).doesNotExist();
    assertThat(sampler.draw(SparkSampling.of(3, 1, 2), ImageEncoding.PNG).count()).isEqualTo(3);
  }
}
