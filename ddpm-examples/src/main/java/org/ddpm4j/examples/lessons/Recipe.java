package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.stream.IntStream;
import org.ddpm4j.data.BatchOptions;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.ImageDataSetIterator;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.training.AdamWConfig;
import org.ddpm4j.diffusion.training.LearningRateSchedule;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * What lessons B and C train, all in the same way.
 *
 * @param name what pictures call it
 * @param network the architecture
 * @param schedule of the chain
 * @param objective what it is trained for
 */
record Recipe(String name, UnetConfig network, NoiseSchedule schedule, ObjectiveConfig objective) {

  private static final int BATCH_SIZE = 32;
  private static final int REPORTS = 50;
  private static final double LEARNING_RATE = 2e-3;
  private static final int WARMUP = 100;
  private static final double MAX_GRADIENT_NORM = 1;
  private static final double EMA_DECAY = 0.995;
  private static final int SEED = 0;

  /** Trains (Ho et al. 2020, algorithm 1) and says how long it took. */
  TrainedNetwork train(LessonRun run, ImageDataSet.HoldOut images) throws IOException {
    // A batch is a function of the step, so that no epoch or iterator has to be counted.
    ImageDataSetIterator batches =
        new ImageDataSetIterator(images.training(), BatchOptions.forTraining(BATCH_SIZE, SEED));
    Unet unet = Unet.create(network, DataType.FLOAT, SEED);
    try (unet;
        Trainer trainer = new Trainer(unet, schedule, config(run.steps()), batches)) {
      trainer.withValidation(images.heldOut().batch(all(images.heldOut())));
      long begin = System.nanoTime();
      trainer.fit();
      run.say(
          "Trained %s: %,d parameters, %d steps of %d images, %.0f s, held-out loss %.4f",
          name,
          unet.parameters().count(),
          run.steps(),
          BATCH_SIZE,
          (System.nanoTime() - begin) / 1e9,
          trainer.validationLoss());
      DiffusionModel model =
          DiffusionModel.of(
              trainer.trainedUnet(),
              objective.parameterization(),
              schedule,
              images.training().shape(),
              images.training().normalization());
      return new TrainedNetwork(name, model, objective, trainer.history().entries());
    }
  }

  private TrainingConfig config(long steps) {
    return new TrainingConfig(
        steps,
        AdamWConfig.defaults().withLearningRate(LEARNING_RATE).withBetas(0.9, 0.99),
        new LearningRateSchedule(Math.min(WARMUP, steps / 10), LearningRateSchedule.Decay.LINEAR),
        MAX_GRADIENT_NORM,
        EMA_DECAY,
        objective,
        SEED,
        Math.toIntExact(Math.max(1, steps / REPORTS)));
  }

  /** The numbers of all images. */
  static int[] all(ImageDataSet images) {
    return IntStream.range(0, images.size()).toArray();
  }
}
