package org.ddpm4j.spark.training;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import org.apache.spark.broadcast.Broadcast;
import org.ddpm4j.data.BatchOptions;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.ImageDataSetIterator;
import org.ddpm4j.diffusion.bound.DiscretizedGaussian;
import org.ddpm4j.diffusion.objective.ImportanceTimesteps;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.objective.TimestepSampler;
import org.ddpm4j.diffusion.run.ModelDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.TrainingDescription;
import org.ddpm4j.diffusion.training.LocalGradientStep;
import org.ddpm4j.diffusion.training.StepLosses;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.spark.data.PackedImages;
import org.ddpm4j.spark.executor.ExecutorDevice;
import org.ddpm4j.spark.executor.PerJvm;
import org.ddpm4j.unet.Parameters;
import org.ddpm4j.unet.Unet;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A network of an executor, which its tasks use one after the other, shard by shard: each computes
 * with all of the executor's threads, and a task that Spark gave up may still be at an earlier
 * step.
 */
final class ShardWorker implements AutoCloseable {

  private final int shards;
  private final Unet unet;
  private final TimestepSampler timesteps;
  private final LocalGradientStep gradients;

  /** Of tasks that hand it on as bytes, at once; null if there are none. */
  private Parameters gradient;

  /** What the network's weights are of; null before the first step. */
  private StepState loaded;

  private ShardWorker(ShardWork work) throws IOException {
    shards = work.shards();
    RunConfig config = RunConfig.fromJson(work.config(), "the run's configuration");
    ModelDescription model = config.model();
    TrainingDescription training = config.training().orElseThrow();
    ImageDataSet images =
        PackedImages.open(work.images(), work.files().value())
            .dataSet(work.files().value())
            .withNormalization(model.normalization());
    unet =
        Unet.create(
            model.network(),
            DataType.FLOAT,
            training.initialWeightsSeed(),
            ExecutorDevice.execution());
    TrainingConfig how = training.config();
    Objective objective = objective(model, how);
    timesteps = Trainer.timesteps(objective, how);
    gradients =
        new LocalGradientStep(
            unet,
            objective,
            how,
            new ImageDataSetIterator(images, batches(training.batches())),
            timesteps);
  }

  /** As {@code ddpm train} makes it. */
  static Objective objective(ModelDescription model, TrainingConfig config) {
    return config
        .objective()
        .create(model.schedule().create(), DiscretizedGaussian.of(model.normalization()));
  }

  /** As {@code ddpm train} draws images. */
  static BatchOptions batches(TrainingDescription.BatchConfig batches) {
    return BatchOptions.forTraining(batches.batchSize(), batches.shuffleSeed())
        .withFlip(batches.flip())
        .withAugmentation(batches.augmentationOrNone());
  }

  /** What is done with a network. */
  interface Use {
    void by(ShardWorker worker) throws IOException;
  }

  /** Uses the network that the process of the calling task has, which is made if need be. */
  static void use(Broadcast<ShardWork> work, Use use) throws IOException {
    ShardWork what = work.value();
    try (PerJvm.Lease<ShardWorker> lease =
        PerJvm.ofThisProcess().lease(ShardWorker.class, what.name(), () -> new ShardWorker(what))) {
      use.by(lease.value());
    }
  }

  /** Computes shards as the results of a task. */
  static Iterator<ShardGradient> compute(
      Broadcast<ShardWork> work, Broadcast<IndependentTasks.Start> start, Iterator<Integer> own)
      throws IOException {
    List<ShardGradient> parts = new ArrayList<>();
    use(
        work,
        worker -> {
          while (own.hasNext()) {
            parts.add(worker.compute(start.value(), own.next()));
          }
        });
    return parts.iterator();
  }

  private synchronized ShardGradient compute(IndependentTasks.Start start, int shard) {
    if (gradient == null) {
      gradient = newGradient();
    }
    StepLosses losses =
        compute(
            start.state(), weights -> FloatBytes.assign(weights, start.weights()), shard, gradient);
    return new ShardGradient(
        shard, losses.t(), losses.weights(), losses.losses(), FloatBytes.of(gradient.flat()));
  }

  /** Room for a gradient, the caller's to close. */
  Parameters newGradient() {
    return unet.parameters().zerosLike();
  }

  /**
   * Computes a shard of a step.
   *
   * @param state what the step begins with; the same object for all its shards
   * @param weights copies the step's weights to the network's, if it has others
   * @param shard its number
   * @param into receives its gradient
   * @return its losses
   */
  synchronized StepLosses compute(
      StepState state, Consumer<INDArray> weights, int shard, Parameters into) {
    if (loaded != state) {
      loaded = state;
      weights.accept(unet.parameters().flat());
      unet.parameters().changed();
      if (timesteps instanceof ImportanceTimesteps importance) {
        importance.restore(state.learned().orElseThrow());
      }
    }
    return gradients.compute(state.step(), shard, shards, into);
  }

  @Override
  public void close() {
    if (gradient != null) {
      gradient.flat().close();
    }
    gradients.close();
    unet.close();
  }
}
