package org.ddpm4j.spark.training;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.ddpm4j.diffusion.training.StepLosses;
import org.ddpm4j.spark.exchange.Endpoint;
import org.ddpm4j.spark.exchange.Rendezvous;
import org.ddpm4j.spark.exchange.TaskExchange;
import org.ddpm4j.spark.exchange.Watch;
import org.ddpm4j.unet.Parameters;
import scala.Function1;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/** A task that computes its shards of one step after the other, until the driver lets it go. */
final class ResidentTask {

  /**
   * After so long without a step a task leaves and gives its cores back, for other jobs of the
   * application that the driver may be waiting for between two steps.
   */
  private static final long IDLE_MILLIS = TimeUnit.SECONDS.toMillis(10);

  private ResidentTask() {}

  /** Begins so many at once. */
  static JavaFutureAction<List<Integer>> begin(
      JavaSparkContext context, Broadcast<ShardWork> work, Rendezvous rendezvous, int tasks) {
    ClassTag<Integer> type = ClassTag$.MODULE$.apply(Integer.class);
    return JavaRDD.fromRDD(
            context
                .parallelize(IntStream.range(0, tasks).boxed().toList(), tasks)
                .rdd()
                .barrier()
                .mapPartitions(
                    (Function1<
                                scala.collection.Iterator<Integer>,
                                scala.collection.Iterator<Integer>>
                            & Serializable)
                        rank -> CollectionConverters.asScala(run(work, rendezvous)),
                    false,
                    type),
            type)
        .collectAsync();
  }

  private static Iterator<Integer> run(Broadcast<ShardWork> work, Rendezvous rendezvous) {
    TaskContext task = TaskContext.get();
    Watch watch =
        () -> {
          if (task.isInterrupted()) {
            throw new InterruptedIOException("Spark has ended the task.");
          }
        };
    try (TaskExchange exchange =
        TaskExchange.join(rendezvous, endpoint(), task.partitionId(), IDLE_MILLIS, watch)) {
      try {
        ShardWorker.use(work, worker -> serve(worker, exchange));
      } catch (IOException | RuntimeException e) {
        exchange.fail(e);
        throw e;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return List.<Integer>of().iterator();
  }

  private static void serve(ShardWorker worker, TaskExchange exchange) throws IOException {
    Parameters gradient = worker.newGradient();
    try {
      exchange.ready();
      for (Optional<byte[]> order = exchange.awaitStep();
          order.isPresent();
          order = exchange.awaitStep()) {
        StepState state = StepMessages.readOrder(order.get());
        List<StepLosses> losses = new ArrayList<>();
        for (int shard : exchange.shards().toArray()) {
          losses.add(
              worker.compute(
                  state, weights -> weights.assign(exchange.weights()), shard, gradient));
          exchange.send(shard, gradient.flat());
        }
        exchange.answer(StepMessages.losses(losses));
      }
    } finally {
      gradient.flat().close();
    }
  }

  /** As Spark has its executors listen for each other. */
  private static Endpoint endpoint() {
    SparkEnv spark = SparkEnv.get();
    String host = spark.blockManager().blockManagerId().host();
    return ResidentTasks.endpoint(spark.conf(), host, host, SparkGradientStep.EXECUTOR_PORT);
  }
}
