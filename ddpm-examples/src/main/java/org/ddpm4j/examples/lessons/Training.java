package org.ddpm4j.examples.lessons;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.data.BatchOptions;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.ImageDataSetIterator;
import org.ddpm4j.diffusion.NetworkDenoiser;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.training.AdamWConfig;
import org.ddpm4j.diffusion.training.LearningRateSchedule;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.plots.Series;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A trained network (Ho et al. 2020, algorithm 1).
 *
 * @param last the weights after the last step
 * @param average the moving average of the weights
 * @param losses of every step
 */
record Training(Unet last, Unet average, List<Double> losses) {

  static final int BATCH = 32;

  private static final int SAY_EVERY = 100;
  private static final long MOST_WARM_UP = 100;

  /** Trains a network that is called {@code name} in the lines about it. */
  static Training of(
      String name,
      UnetConfig network,
      Objective objective,
      ImageDataSet images,
      long steps,
      LessonRun run)
      throws IOException {
    Unet unet = Unet.create(network, DataType.FLOAT, 0);
    run.say("%s: %,d parameters", name, unet.parameters().count());

    // Every seed is written down: the same steps give the same weights again.
    BatchOptions options = BatchOptions.forTraining(BATCH, 1).withFlip(HorizontalFlip.RANDOM);
    ImageDataSetIterator batches = new ImageDataSetIterator(images, options);
    TrainingConfig config =
        TrainingConfig.defaults(steps)
            .withOptimizer(AdamWConfig.defaults().withLearningRate(2e-3).withBetas(0.9, 0.99))
            .withLearningRate(
                new LearningRateSchedule(
                    Math.min(MOST_WARM_UP, steps / 10), LearningRateSchedule.Decay.LINEAR));

    List<Double> losses = new ArrayList<>();
    try (Trainer trainer = new Trainer(unet, objective, config, batches::batch)) {
      trainer.withListener(
          (state, report) -> {
            losses.add(report.loss());
            if (report.step() % SAY_EVERY == 0 || report.isLast()) {
              double loss = mean(losses, losses.size() - SAY_EVERY, losses.size());
              run.say("%s: step %d of %d, loss %.4f", name, report.step(), steps, loss);
            }
          });
      trainer.fit();
      return new Training(unet, trainer.trainedUnet(), losses);
    }
  }

  /** The moving average, as samplers take it. */
  NetworkDenoiser averageDenoiser(NoiseSchedule schedule) {
    return new NetworkDenoiser(average::predict, Parameterization.EPSILON, schedule);
  }

  /** The means of so many losses at a time: a single one says little, it depends on its t. */
  Series lossCurve(String name, int window) {
    int count = (losses.size() + window - 1) / window;
    double[] steps = new double[count];
    double[] means = new double[count];
    for (int i = 0; i < count; i++) {
      int end = Math.min(losses.size(), (i + 1) * window);
      steps[i] = end;
      means[i] = mean(losses, i * window, end);
    }
    return Series.of(name, steps, means);
  }

  static double mean(List<Double> losses, int from, int to) {
    return losses.subList(Math.max(0, from), to).stream()
        .mapToDouble(Double::doubleValue)
        .average()
        .orElseThrow();
  }
}
