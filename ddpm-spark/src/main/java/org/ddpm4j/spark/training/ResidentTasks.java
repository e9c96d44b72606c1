package org.ddpm4j.spark.training;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.ddpm4j.diffusion.training.StepLosses;
import org.ddpm4j.spark.exchange.DriverExchange;
import org.ddpm4j.spark.exchange.Endpoint;
import org.ddpm4j.spark.exchange.TaskFailedException;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A job in barrier mode for many steps, whose tasks stay and exchange weights and gradients with
 * the driver and each other. When one is lost the job ends, and the next step, or the same again,
 * begins another with as many tasks as there is room for.
 */
final class ResidentTasks implements ShardSchedule.Cluster {

  private static final int ANY_PORT = 0;
  private static final int DEFAULT_RETRIES = 16;
  private static final String DEFAULT_PATIENCE = "20s";
  private static final long END_SECONDS = 10;

  private final JavaSparkContext context;
  private final ExecutorRoom room;
  private final Broadcast<ShardWork> work;
  private final int shards;
  private final Unet unet;
  private final long patienceMillis;

  /** Null while there is no job. */
  private DriverExchange exchange;

  private JavaFutureAction<List<Integer>> job;
  private long roomyAt;

  /**
   * Tasks of a training.
   *
   * @param unet the driver's, whose weights are read at each step
   */
  ResidentTasks(JavaSparkContext context, Broadcast<ShardWork> work, int shards, Unet unet) {
    this.context = context;
    this.room = new ExecutorRoom(context);
    this.work = work;
    this.shards = shards;
    this.unet = unet;
    this.patienceMillis =
        context.getConf().getTimeAsMs(SparkGradientStep.PATIENCE, DEFAULT_PATIENCE);
  }

  @Override
  public int awaitRoom() {
    return room.await();
  }

  @Override
  public StepLosses run(StepState state, int tasks, INDArray total)
      throws IOException, ExecutionException {
    boolean done = false;
    try {
      if (exchange == null || job.isDone() || exchange.tasks() != tasks) {
        close();
        begin(tasks);
      }
      roomyAt = System.nanoTime();
      StepLosses losses =
          inOrder(exchange.step(StepMessages.order(state), unet.parameters().flat(), total), tasks);
      done = true;
      return losses;
    } catch (InterruptedIOException e) {
      throw ExecutorRoom.interrupted();
    } catch (TaskFailedException e) {
      throw new ExecutionException(e);
    } finally {
      if (!done) {
        giveUp();
      }
    }
  }

  private void begin(int tasks) throws IOException {
    roomyAt = System.nanoTime();
    exchange =
        new DriverExchange(
            endpoint(context.getConf()), tasks, shards, unet.parameters().count(), this::check);
    job = ResidentTask.begin(context, work, exchange.rendezvous(), tasks);
    exchange.awaitTasks();
  }

  /** As Spark listens for executors. */
  private static Endpoint endpoint(SparkConf conf) {
    String host = conf.get("spark.driver.host");
    return endpoint(
        conf, host, conf.get("spark.driver.bindAddress", host), SparkGradientStep.DRIVER_PORT);
  }

  /** At the port of a setting, or at one of those behind it, as Spark's own. */
  static Endpoint endpoint(SparkConf conf, String host, String bindHost, String port) {
    return new Endpoint(
        host,
        bindHost,
        conf.getInt(port, ANY_PORT),
        conf.getInt("spark.port.maxRetries", DEFAULT_RETRIES));
  }

  /** Whether the tasks can still come, or answer. */
  private void check() throws IOException {
    if (job != null && job.isDone()) {
      throw ended();
    }
    long now = System.nanoTime();
    if (room.tasks() >= exchange.tasks()) {
      roomyAt = now;
    } else if (now - roomyAt >= TimeUnit.MILLISECONDS.toNanos(patienceMillis)) {
      throw new IOException("Executors have been away for " + patienceMillis + " ms.");
    }
  }

  /** Why the job is no longer there. */
  private IOException ended() {
    try {
      job.get();
      return new IOException("The tasks have left.");
    } catch (ExecutionException e) {
      return new TaskFailedException(e.getCause().getMessage());
    } catch (InterruptedException e) {
      throw ExecutorRoom.interrupted();
    }
  }

  /** Shard s is the task's whose rank is s mod n, and comes after its s / n others. */
  private StepLosses inOrder(List<byte[]> answers, int tasks) throws IOException {
    List<List<StepLosses>> byRank = new ArrayList<>();
    for (byte[] answer : answers) {
      byRank.add(StepMessages.readLosses(answer));
    }
    List<StepLosses> losses = new ArrayList<>();
    for (int shard = 0; shard < shards; shard++) {
      losses.add(byRank.get(shard % tasks).get(shard / tasks));
    }
    return StepLosses.concat(losses);
  }

  private void giveUp() {
    if (exchange != null) {
      exchange.close();
      exchange = null;
    }
    if (job != null) {
      job.cancel(true);
      job = null;
    }
  }

  /** Lets the tasks go, and waits until they have. */
  @Override
  public void close() {
    if (exchange != null) {
      exchange.close();
    }
    try {
      if (job != null) {
        job.get(END_SECONDS, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException e) {
      // Nobody waits for anything of it; what is left of it is cancelled.
    } finally {
      giveUp();
    }
  }
}
