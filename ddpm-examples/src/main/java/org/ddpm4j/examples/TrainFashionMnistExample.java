package org.ddpm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.ddpm4j.data.BatchOptions;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.ImageDataSetIterator;
import org.ddpm4j.data.Split;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.training.AdamWConfig;
import org.ddpm4j.diffusion.training.LearningRateSchedule;
import org.ddpm4j.diffusion.training.ProgressListener;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingConfig;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.ddpm4j.unet.model.AnnotatedUnet;
import org.ddpm4j.unet.model.UnetConfig;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Trains a small U-Net to find the noise in noisy pictures of clothes (Ho et al. 2020, algorithm 1)
 * and saves it as a folder that {@link SampleFashionMnistExample} reads.
 */
public final class TrainFashionMnistExample {

  /** The noise that the model is trained with; sampling must use the same. */
  static final NoiseSchedule SCHEDULE = NoiseSchedule.of(LinearSchedule.paper(), 1000);

  /** Where the model goes, unless the arguments say otherwise. */
  static final String DEFAULT_FOLDER = "fashion-mnist-unet";

  private TrainFashionMnistExample() {}

  /**
   * Trains and saves.
   *
   * @param args the folder of the model to write, and the number of steps, by default 1500
   * @throws IOException if the images cannot be read or the model cannot be written
   */
  public static void main(String[] args) throws IOException {
    Arguments arguments = Arguments.of(args);
    Path folder = arguments.model().orElse(Path.of(DEFAULT_FOLDER));
    long steps = arguments.steps(1500);

    ImageDataSet clothes = FashionMnist.load(Split.TRAIN);
    System.out.println("Images: " + clothes.source());
    UnetFolder.write(folder, train(clothes, steps));
    System.out.println("Saved " + folder);
  }

  static Unet train(ImageDataSet clothes, long steps) throws IOException {
    return train(clothes, ObjectiveConfig.simple().create(SCHEDULE), steps);
  }

  static Unet train(ImageDataSet clothes, Objective objective, long steps) throws IOException {
    return train(clothes, architecture(clothes), objective, steps);
  }

  /** Three resolutions (28, 14 and 7 pixels) of 24, 48 and 96 channels. */
  static AnnotatedUnet architecture(ImageDataSet clothes) {
    return AnnotatedUnet.resnet(24, clothes.shape().channels(), List.of(1, 2, 4), 8)
        .withAttention(2, 16);
  }

  static Unet train(ImageDataSet clothes, UnetConfig network, Objective objective, long steps)
      throws IOException {
    // Images in [-1,1], reshuffled every epoch, mirrored by chance.
    BatchOptions options = BatchOptions.forTraining(64, 1).withFlip(HorizontalFlip.RANDOM);
    ImageDataSetIterator batches = new ImageDataSetIterator(clothes, options);

    Unet unet = Unet.create(network, DataType.FLOAT, 0);
    System.out.printf(Locale.ROOT, "Parameters: %,d%n", unet.parameters().count());

    TrainingConfig config =
        TrainingConfig.defaults(steps)
            .withOptimizer(AdamWConfig.defaults().withLearningRate(2e-3).withBetas(0.9, 0.99))
            .withLearningRate(
                new LearningRateSchedule(
                    Math.min(100, steps / 10), LearningRateSchedule.Decay.LINEAR));

    try (unet;
        Trainer trainer = new Trainer(unet, objective, config, batches::batch)) {
      trainer.withListener(new ProgressListener(System.out::println)).fit();

      // The moving average of the weights draws better pictures than the last weights.
      return trainer.trainedUnet();
    }
  }
}
