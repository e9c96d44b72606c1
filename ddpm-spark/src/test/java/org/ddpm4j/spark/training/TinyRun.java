package org.ddpm4j.spark.training;

import java.io.IOException;
import java.util.List;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.ImageDataSetIterator;
import org.ddpm4j.diffusion.config.ScheduleConfig;
import org.ddpm4j.diffusion.config.ScheduleType;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.objective.TimestepSampling;
import org.ddpm4j.diffusion.run.DataDescription;
import org.ddpm4j.diffusion.run.ModelDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.TrainingDescription;
import org.ddpm4j.diffusion.training.Checkpoint;
import org.ddpm4j.diffusion.training.HostTrainingStep;
import org.ddpm4j.diffusion.training.LocalGradientStep;
import org.ddpm4j.diffusion.training.ShardedGradientStep;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.diffusion.training.WeightUpdate;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.nd4j.linalg.api.buffer.DataType;

/** A training of a small network with everything that is random about one. */
final class TinyRun {

  static final int TIMESTEPS = 4;

  private TinyRun() {}

  /** Timesteps by importance, once each has been seen often enough; labels that are dropped. */
  static RunConfig config(ImageDataSet images, long steps) {
    ObjectiveConfig objective =
        ObjectiveConfig.simple().withLabelDropout(0.3).withTimesteps(TimestepSampling.IMPORTANCE);
    AnnotatedUnet network =
        AnnotatedUnet.resnet(8, 1, List.of(1, 2), 4).withAttention(1, 8).withClassEmbeddings(3);
    TrainingConfig config =
        TrainingConfig.defaults(steps).withObjective(objective).withAccumulate(2);
    return new RunConfig(
        null,
        ModelDescription.of(
            network,
            objective,
            ScheduleConfig.of(ScheduleType.LINEAR, TIMESTEPS),
            images.shape(),
            images.normalization(),
            images.classNames()),
        new DataDescription(
            "tiny", "noise", images.fingerprint(), images.size(), 0, DataDescription.Selection.ALL),
        new TrainingDescription(
            1, config, new TrainingDescription.BatchConfig(10, 2, HorizontalFlip.RANDOM), 3, 1000));
  }

  /** Trains on one machine, in as many parts, and hands over the last state. */
  static void onOneMachine(
      RunConfig config, ImageDataSet images, int shards, StateConsumer consumer)
      throws IOException {
    TrainingDescription training = config.training().orElseThrow();
    Objective objective = ShardWorker.objective(config.model(), training.config());
    try (Unet unet =
            Unet.create(
                config.model().network(),
                DataType.FLOAT,
                training.initialWeightsSeed(),
                Execution.automatic());
        Trainer trainer =
            new Trainer(
                unet,
                objective,
                training.config(),
                new ImageDataSetIterator(images, ShardWorker.batches(training.batches())),
                task ->
                    new HostTrainingStep(
                        new ShardedGradientStep(
                            task.unet(),
                            new LocalGradientStep(
                                task.unet(),
                                task.objective(),
                                task.config(),
                                task.data(),
                                task.timesteps()),
                            shards),
                        new WeightUpdate(task.unet(), task.config(), task.state()),
                        task.state().weights().zerosLike()))) {
      consumer.accept(trainer);
    }
  }

  /** Trains. */
  interface StateConsumer {
    void accept(Trainer trainer) throws IOException;
  }

  /** Everything of a state, to be compared. */
  static List<Object> contents(Checkpoint state) {
    return List.of(
        state.step(),
        state.weights().fingerprint(),
        state.ema().fingerprint(),
        state.firstMoment().fingerprint(),
        state.secondMoment().fingerprint(),
        state.history().toString(),
        state.window(),
        state.timesteps().map(learned -> List.of(toList(learned.losses()))).orElseThrow());
  }

  private static List<Double> toList(double[] values) {
    return java.util.Arrays.stream(values).boxed().toList();
  }
}
