package org.ddpm4j.spark.training;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import org.ddpm4j.diffusion.objective.ImportanceTimesteps;
import org.ddpm4j.diffusion.objective.TimestepSampler;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.training.GradientStep;
import org.ddpm4j.diffusion.training.ShardedGradientStep;
import org.ddpm4j.diffusion.training.StepLosses;
import org.ddpm4j.io.Text;
import org.ddpm4j.spark.data.PackedImages;
import org.ddpm4j.spark.executor.Broadcasts;
import org.ddpm4j.spark.executor.PerJvm;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;

/**
 * The gradient of a step by the executors of a Spark cluster. The step's batch is cut into a fixed
 * number of shards, and the gradients of the shards are added in their order, however they arrive.
 * What comes out depends on the number of shards alone, and is what {@link
 * org.ddpm4j.diffusion.training.ShardedGradientStep} computes on one machine.
 *
 * <p>A step has no effect but its result. When an executor is lost, the step is begun again with as
 * many tasks as there is room for.
 */
public final class SparkGradientStep implements GradientStep {

  /**
   * The setting that says how long tasks in barrier mode may wait for executors that are missing
   * before the step is begun again without them, {@code 20s} unless given.
   */
  public static final String PATIENCE = "spark.ddpm4j.patience";

  /**
   * The setting that says at which port the driver listens for tasks in barrier mode, any that is
   * free unless given. Of as many further ports as {@code spark.port.maxRetries} says the first
   * that is free is taken.
   */
  public static final String DRIVER_PORT = "spark.ddpm4j.driver.port";

  /** The same of the executors, which listen for each other. */
  public static final String EXECUTOR_PORT = "spark.ddpm4j.executor.port";

  /** With these Spark encrypts what machines send each other. */
  private static final List<String> ENCRYPTION =
      List.of(
          "spark.network.crypto.enabled",
          "spark.authenticate.enableSaslEncryption",
          "spark.ssl.rpc.enabled");

  private final TimestepSampler timesteps;
  private final int shards;
  private final Broadcast<ShardWork> work;
  private final ShardSchedule.Cluster cluster;

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
   * @throws IllegalArgumentException if there are fewer shards than 1, or the placement is {@link
   *     Placement#BARRIER} and the cluster encrypts what its machines send each other
   */
  public SparkGradientStep(
      JavaSparkContext spark,
      Unet unet,
      TimestepSampler timesteps,
      RunConfig config,
      PackedImages images,
      int shards,
      Placement placement) {
    ShardedGradientStep.requireShards(shards);
    if (placement == Placement.BARRIER) {
      requirePlain(spark.getConf());
    }
    this.timesteps = Objects.requireNonNull(timesteps, "timesteps");
    this.shards = shards;
    this.work =
        spark.broadcast(
            new ShardWork(
                UUID.randomUUID().toString(),
                config.toJson(),
                images.folder(),
                new SerializableConfiguration(spark.hadoopConfiguration()),
                shards));
    this.cluster =
        switch (placement) {
          case BARRIER -> new ResidentTasks(spark, work, shards, unet);
          case INDEPENDENT -> new IndependentTasks(spark, work, shards, unet);
        };
  }

  /** Weights and gradients are not encrypted, so they stay away where everything has to be. */
  static void requirePlain(SparkConf conf) {
    for (String setting : ENCRYPTION) {
      if (conf.getBoolean(setting, false)) {
        throw new IllegalArgumentException(
            Text.format(
                "%s is true, but in barrier mode executors exchange weights and gradients without encryption; train with the placement independent, which leaves everything to Spark.",
                setting));
      }
    }
  }

  @Override
  public StepLosses compute(long step, Parameters gradient) {
    return ShardSchedule.compute(cluster, StepState.of(step, learned()), shards, gradient.flat());
  }

  private Optional<ImportanceTimesteps.State> learned() {
    return timesteps instanceof ImportanceTimesteps importance
        ? Optional.of(importance.state())
        : Optional.empty();
  }

  /**
   * Lets the executors go, and closes the network of this process, if tasks ran in it; those of
   * executors end with them.
   */
  @Override
  public void close() {
    cluster.close();
    Broadcasts.destroy(work);
    PerJvm.ofThisProcess().forget(ShardWorker.class);
  }
}
