package org.ddpm4j.spark.training;

import java.io.Serializable;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.ddpm4j.diffusion.training.StepLosses;
import org.ddpm4j.spark.executor.Broadcasts;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A job for each step: its weights are broadcast, and gradients are the results of its tasks, of
 * which Spark does again what is lost and may begin twice what is slow.
 */
final class IndependentTasks implements ShardSchedule.Cluster {

  private final JavaSparkContext context;
  private final ExecutorRoom room;
  private final Broadcast<ShardWork> work;
  private final int shards;
  private final Unet unet;

  /**
   * What a job begins with.
   *
   * @param state of the step
   * @param weights the network's, float32
   */
  record Start(StepState state, byte[] weights) implements Serializable {
    private static final long serialVersionUID = 1L;
  }

  /**
   * Tasks of a training.
   *
   * @param unet the driver's, whose weights are read at each step
   */
  IndependentTasks(JavaSparkContext context, Broadcast<ShardWork> work, int shards, Unet unet) {
    this.context = context;
    this.room = new ExecutorRoom(context);
    this.work = work;
    this.shards = shards;
    this.unet = unet;
  }

  @Override
  public int awaitRoom() {
    return room.await();
  }

  @Override
  public StepLosses run(StepState state, int tasks, INDArray total) throws ExecutionException {
    try {
      return sum(state, tasks, total);
    } catch (InterruptedException e) {
      throw ExecutorRoom.interrupted();
    }
  }

  /** Broadcasting waits, too, and is interrupted as the job is, though Scala does not say so. */
  private StepLosses sum(StepState state, int tasks, INDArray total)
      throws ExecutionException, InterruptedException {
    Broadcast<ShardWork> what = work;
    Broadcast<Start> start =
        context.broadcast(new Start(state, FloatBytes.of(unet.parameters().flat())));
    try {
      JavaFutureAction<List<ShardGradient>> job =
          context
              .parallelize(IntStream.range(0, shards).boxed().toList(), tasks)
              .mapPartitions((Iterator<Integer> own) -> ShardWorker.compute(what, start, own))
              .collectAsync();
      try {
        return ShardGradient.sum(job.get(), shards, total);
      } catch (InterruptedException e) {
        job.cancel(true);
        throw e;
      }
    } finally {
      Broadcasts.destroy(start);
    }
  }

  @Override
  public void close() {
    // Between two steps there is no job.
  }
}
