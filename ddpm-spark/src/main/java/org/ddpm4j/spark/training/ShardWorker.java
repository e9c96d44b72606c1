package org.ddpm4j.spark.training;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
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

/**
 * A network of an executor, which its tasks use one after the other: each computes with all of the
 * executor's threads, and a task that Spark gave up may still be at an earlier step.
 */
final class ShardWorker implements AutoCloseable {

  private final int shards;
  private final Unet unet;
  private final TimestepSampler timesteps;
  private final LocalGradientStep gradients;
  private final Parameters gradient;

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
    gradient = unet.parameters().zerosLike();
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

  /** A task's: computes its shards with the network that its process shares. */
  static Iterator<ShardGradient> compute(
      Broadcast<ShardWork> work, Broadcast<StepState> state, Iterator<Integer> own)
      throws IOException {
    ShardWork what = work.value();
    try (PerJvm.Lease<ShardWorker> lease =
        PerJvm.ofThisProcess().lease(ShardWorker.class, what.name(), () -> new ShardWorker(what))) {
      return lease.value().compute(state.value(), own).iterator();
    }
  }

  private synchronized List<ShardGradient> compute(StepState state, Iterator<Integer> own) {
    FloatBytes.assign(unet.parameters().flat(), state.weights());
    unet.parameters().changed();
    if (timesteps instanceof ImportanceTimesteps importance) {
      importance.restore(
          new ImportanceTimesteps.State(state.timestepLosses(), state.timestepCounts()));
    }
    List<ShardGradient> parts = new ArrayList<>();
    while (own.hasNext()) {
      int shard = own.next();
      StepLosses losses = gradients.compute(state.step(), shard, shards, gradient);
      parts.add(
          new ShardGradient(
              shard,
              losses.t(),
              losses.weights(),
              losses.losses(),
              FloatBytes.of(gradient.flat())));
    }
    return parts;
  }

  @Override
  public void close() {
    gradients.close();
    unet.close();
  }
}
