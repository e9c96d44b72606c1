package org.ddpm4j.spark.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.ddpm4j.spark.RunningTasks.await;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.spark.RunningTasks;
import org.ddpm4j.spark.TestSpark;
import org.ddpm4j.spark.data.PackedImages;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Who interrupts the thread that trains gets the cluster back, and the thread stays interrupted.
 */
class InterruptedTrainingTest {

  private static final int SHARDS = 2;
  private static final int STEPS = 3;

  @TempDir private static Path folder;

  private static final Configuration CONFIGURATION = new Configuration();
  private static final ImageDataSet IMAGES = TinyImages.of(64);
  private static PackedImages packed;
  private static SparkSession spark;
  private static RunningTasks tasks;

  /** A training that somebody interrupts, in a thread of its own. */
  private static final class Training extends Thread {

    private final Placement placement;
    private final CountDownLatch atWork = new CountDownLatch(1);
    private volatile Throwable ended;
    private volatile boolean interruptedAfterRun;
    private volatile boolean interruptedAfterClose;

    Training(Placement placement) {
      super("training");
      this.placement = placement;
    }

    @Override
    public void run() {
      try (RemoteRun run =
          RemoteRun.create(
              folder.resolve("interrupted-" + placement).toString(),
              CONFIGURATION,
              TinyRun.config(IMAGES, 1_000_000))) {
        try (SparkTraining training =
            new SparkTraining(context(), run, packed, SHARDS, placement)) {
          try {
            training.run(
                (trainer, report) -> {
                  if (report.step() == 2) {
                    atWork.countDown();
                  }
                });
          } finally {
            interruptedAfterRun = isInterrupted();
          }
        } finally {
          interruptedAfterClose = isInterrupted();
        }
      } catch (Throwable e) {
        ended = e;
      } finally {
        atWork.countDown();
      }
    }

    /** Whether it waits for executors just now. */
    boolean isAtStep() {
      return Arrays.stream(getStackTrace())
          .anyMatch(
              frame ->
                  frame.getClassName().equals(ShardSchedule.class.getName())
                      && frame.getMethodName().equals("compute"));
    }
  }

  @BeforeAll
  static void begin() throws IOException {
    packed = PackedImages.write(IMAGES, folder.resolve("images").toString(), CONFIGURATION);
    spark = TestSpark.local(2);
    tasks = RunningTasks.of(spark);
  }

  @AfterAll
  static void end() {
    spark.stop();
  }

  private static JavaSparkContext context() {
    return JavaSparkContext.fromSparkContext(spark.sparkContext());
  }

  @ParameterizedTest
  @EnumSource(Placement.class)
  void leavesNothingBehind(Placement placement) throws Exception {
    Training training = new Training(placement);
    training.start();
    training.atWork.await();
    await("a step", () -> training.isAtStep() || !training.isAlive());
    training.interrupt();
    await("the end of the training", () -> !training.isAlive());

    assertThat(training.ended)
        .isInstanceOf(UncheckedIOException.class)
        .hasCauseInstanceOf(InterruptedIOException.class)
        .hasNoSuppressedExceptions();
    assertThat(training.interruptedAfterRun).isTrue();
    assertThat(training.interruptedAfterClose).isTrue();
    tasks.awaitNone();
    assertThat(exchangeThreads()).isEmpty();

    RunConfig config = TinyRun.config(IMAGES, STEPS);
    try (RemoteRun run =
            RemoteRun.create(
                folder.resolve("next-" + placement).toString(), CONFIGURATION, config);
        SparkTraining next = new SparkTraining(context(), run, packed, SHARDS, placement)) {
      next.run((trainer, report) -> {});
      List<Object> last = TinyRun.contents(next.trainer().checkpoint());
      TinyRun.onOneMachine(
          config,
          IMAGES,
          SHARDS,
          trainer -> {
            trainer.fit();
            assertThat(last).isEqualTo(TinyRun.contents(trainer.checkpoint()));
          });
    }
  }

  private static List<String> exchangeThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.equals("ddpm4j-exchange"))
        .toList();
  }
}
