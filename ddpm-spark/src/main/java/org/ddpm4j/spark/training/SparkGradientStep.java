package org.ddpm4j.spark.training;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.ddpm4j.diffusion.objective.ImportanceTimesteps;
import org.ddpm4j.diffusion.objective.TimestepSampler;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.training.GradientStep;
import org.ddpm4j.diffusion.training.StepLosses;
import org.ddpm4j.spark.data.PackedImages;
import org.ddpm4j.spark.executor.PerJvm;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import scala.Function1;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag;
import scala.reflect.ClassTag$;

/**
 * The gradient of a step by the executors of a Spark cluster. The weights are broadcast; the step's
 * batch is cut into a fixed number of shards, neighbouring shards make a task, and the gradients of
 * the shards are added here in their order, however they arrive. What comes out depends on the
 * number of shards alone, and is what {@link org.ddpm4j.diffusion.training.ShardedGradientStep}
 * computes on one machine.
 *
 * <p>A step has no effect but its result. When an executor is lost, Spark does its tasks again, in
 * barrier mode all of the step's; where that fails, or leaves fewer executors than tasks, the step
 * is begun again here with as many tasks as there is room for.
 */
public final class SparkGradientStep implements GradientStep {

  private static final long POLL_MILLIS = 500;

  /**
   * The setting that says how long a step in barrier mode may wait for executors that are missing
   * before it does without them, {@code 20s} unless given.
   */
  public static final String PATIENCE = "spark.ddpm4j.patience";

  private static final String DEFAULT_PATIENCE = "20s";

  private final JavaSparkContext context;
  private final Unet unet;
  private final TimestepSampler timesteps;
  private final int shards;
  private final Placement placement;
  private final Broadcast<ShardWork> work;
  private final long patienceMillis;

  /**
   * The gradients of a training.
   *
   * @param spark the cluster
   * @param unet the driver's network, whose weights are read at each step
   * @param timesteps the driver's, which hears of losses
   * @param config of the run
   * @param images what it is trained on
   * @param shards into how many parts each step is cut, at least 1; a few for each core that there
   *     will ever be
   * @param placement of the tasks
   * @throws IllegalArgumentException if there are fewer shards than 1
   */
  public SparkGradientStep(
      JavaSparkContext spark,
      Unet unet,
      TimestepSampler timesteps,
      RunConfig config,
      PackedImages images,
      int shards,
      Placement placement) {
    if (shards < 1) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "A step cannot be cut into %d shards; it takes at least 1.", shards));
    }
    this.context = Objects.requireNonNull(spark, "spark");
    this.unet = Objects.requireNonNull(unet, "unet");
    this.timesteps = Objects.requireNonNull(timesteps, "timesteps");
    this.shards = shards;
    this.patienceMillis = spark.sc().conf().getTimeAsMs(PATIENCE, DEFAULT_PATIENCE);
    this.placement = Objects.requireNonNull(placement, "placement");
    this.work =
        spark.broadcast(
            new ShardWork(
                UUID.randomUUID().toString(),
                config.toJson(),
                images.folder(),
                new SerializableConfiguration(spark.hadoopConfiguration()),
                shards));
  }

  @Override
  public StepLosses compute(long step, Parameters gradient) {
    Broadcast<StepState> state = context.broadcast(state(step));
    try {
      return ShardSchedule.compute(new Step(state), shards, gradient.flat());
    } finally {
      state.destroy();
    }
  }

  /** The cluster at one step. */
  private final class Step implements ShardSchedule.Cluster {

    private final Broadcast<StepState> state;

    Step(Broadcast<StepState> state) {
      this.state = state;
    }

    @Override
    public int awaitRoom() {
      try {
        while (room() == 0) {
          Thread.sleep(POLL_MILLIS / 5);
        }
        return Math.max(1, room());
      } catch (InterruptedException e) {
        throw interrupted();
      }
    }

    @Override
    public List<ShardGradient> run(int tasks) throws ExecutionException {
      return await(shards(state, tasks).collectAsync(), tasks);
    }
  }

  private StepState state(long step) {
    byte[] weights = FloatBytes.of(unet.parameters().flat());
    if (timesteps instanceof ImportanceTimesteps importance) {
      ImportanceTimesteps.State learned = importance.state();
      return new StepState(step, weights, learned.losses(), learned.counts());
    }
    return new StepState(step, weights, null, null);
  }

  private JavaRDD<ShardGradient> shards(Broadcast<StepState> state, int tasks) {
    Broadcast<ShardWork> what = work;
    JavaRDD<Integer> numbers =
        context.parallelize(IntStream.range(0, shards).boxed().toList(), tasks);
    if (placement == Placement.INDEPENDENT) {
      return numbers.mapPartitions(
          (Iterator<Integer> own) -> ShardWorker.compute(what, state, own));
    }
    ClassTag<ShardGradient> type = ClassTag$.MODULE$.apply(ShardGradient.class);
    return JavaRDD.fromRDD(
        numbers
            .rdd()
            .barrier()
            .mapPartitions(
                (Function1<
                            scala.collection.Iterator<Integer>,
                            scala.collection.Iterator<ShardGradient>>
                        & Serializable)
                    own -> inScala(what, state, own),
                false,
                type),
        type);
  }

  private static scala.collection.Iterator<ShardGradient> inScala(
      Broadcast<ShardWork> work,
      Broadcast<StepState> state,
      scala.collection.Iterator<Integer> own) {
    try {
      return CollectionConverters.asScala(
          ShardWorker.compute(work, state, CollectionConverters.asJava(own)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits for a job; empty if it was given up because executors stay away. */
  private List<ShardGradient> await(JavaFutureAction<List<ShardGradient>> job, int tasks)
      throws ExecutionException {
    long missingMillis = 0;
    try {
      while (true) {
        try {
          return job.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
          missingMillis = room() < tasks ? missingMillis + POLL_MILLIS : 0;
          if (placement == Placement.BARRIER && missingMillis >= patienceMillis && room() > 0) {
            job.cancel(true);
            return List.of();
          }
        }
      }
    } catch (InterruptedException e) {
      job.cancel(true);
      throw interrupted();
    }
  }

  private static UncheckedIOException interrupted() {
    Thread.currentThread().interrupt();
    return new UncheckedIOException(
        new InterruptedIOException("Training was interrupted while executors were at a step."));
  }

  /** How many tasks can run at once. */
  private int room() {
    SparkContext spark = context.sc();
    return spark.maxNumConcurrentTasks(spark.resourceProfileManager().defaultResourceProfile());
  }

  /** Closes the network of this process, if tasks ran in it; those of executors end with them. */
  @Override
  public void close() {
    work.destroy();
    PerJvm.ofThisProcess().forget(ShardWorker.class);
  }
}
