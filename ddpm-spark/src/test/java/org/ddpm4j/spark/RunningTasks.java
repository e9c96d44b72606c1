package org.ddpm4j.spark;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.sql.SparkSession;

/** What runs in a session. */
public final class RunningTasks extends SparkListener {

  private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(1);

  private final SparkSession spark;
  private final Set<Long> running = ConcurrentHashMap.newKeySet();

  private RunningTasks(SparkSession spark) {
    this.spark = spark;
  }

  /** Of a session, from now on. */
  public static RunningTasks of(SparkSession spark) {
    RunningTasks tasks = new RunningTasks(spark);
    spark.sparkContext().addSparkListener(tasks);
    return tasks;
  }

  @Override
  public void onTaskStart(SparkListenerTaskStart begun) {
    running.add(begun.taskInfo().taskId());
  }

  @Override
  public void onTaskEnd(SparkListenerTaskEnd ended) {
    running.remove(ended.taskInfo().taskId());
  }

  public int count() {
    return running.size();
  }

  public void awaitNone() throws Exception {
    await(
        "the end of jobs",
        () -> spark.sparkContext().statusTracker().getActiveJobIds().length == 0);
    await("the end of tasks", running::isEmpty);
  }

  /** Waits for what must come within a minute. */
  public static void await(String what, Callable<Boolean> there) throws Exception {
    long begun = System.nanoTime();
    while (!there.call()) {
      assertThat(System.nanoTime() - begun)
          .as("nanoseconds of waiting for " + what)
          .isLessThan(PATIENCE_NANOS);
      Thread.sleep(1);
    }
  }
}
