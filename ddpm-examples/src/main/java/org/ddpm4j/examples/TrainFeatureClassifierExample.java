package org.ddpm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.ddpm4j.data.BatchOptions;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.ImageDataSetIterator;
import org.ddpm4j.data.Split;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.evaluation.ClassifierFeatures;
import org.ddpm4j.evaluation.ClassifierTraining;
import org.ddpm4j.evaluation.Features;
import org.ddpm4j.evaluation.Pixels;
import org.ddpm4j.unet.Execution;
import org.nd4j.linalg.dataset.DataSet;

/**
 * Trains the classifier of clothes whose features distances are measured in, as the one among
 * ddpm-evaluation's resources was trained, and says how many test images it knows.
 */
public final class TrainFeatureClassifierExample {

  private static final int BATCH = 128;

  private TrainFeatureClassifierExample() {}

  /**
   * Trains, tests and saves.
   *
   * @param args the folder to write to, and the number of steps, by default 1400
   * @throws IOException if the images cannot be read or the file cannot be written
   */
  public static void main(String[] args) throws IOException {
    Arguments arguments = Arguments.of(args);
    Path file = arguments.output().resolve("fashion-mnist-classifier.safetensors");
    long steps = arguments.steps(1400);

    ImageDataSet clothes = FashionMnist.load(Split.TRAIN);
    ImageDataSet tests = FashionMnist.load(Split.TEST);
    try (ClassifierFeatures classifier = train(clothes, steps)) {
      String accuracy = String.format(Locale.ROOT, "%.4f", accuracy(classifier, tests));
      System.out.println("Test accuracy: " + accuracy + " of " + tests.size());
      classifier.write(
          file,
          Map.of(
              "trained_on",
              clothes.size() + " training images of Fashion-MNIST",
              "steps",
              Long.toString(steps),
              "test_images",
              Integer.toString(tests.size()),
              "test_accuracy",
              accuracy));
    }
    System.out.println("Saved " + file);
  }

  static ClassifierFeatures train(ImageDataSet clothes, long steps) {
    BatchOptions options = BatchOptions.forTraining(BATCH, 1).withFlip(HorizontalFlip.RANDOM);
    return ClassifierTraining.defaults(steps)
        .train(
            "fashion-mnist-classifier-1",
            clothes.classNames(),
            new ImageDataSetIterator(clothes, options),
            clothes.normalization(),
            Execution.automatic(),
            (step, loss) -> {
              if ((step + 1) % 100 == 0) {
                System.out.printf(Locale.ROOT, "step %d: loss %.3f%n", step + 1, loss);
              }
            });
  }

  static double accuracy(ClassifierFeatures classifier, ImageDataSet images) {
    int right = 0;
    for (int first = 0; first < images.size(); first += BATCH) {
      int start = first;
      int count = Math.min(BATCH, images.size() - first);
      DataSet batch = images.batch(IntStream.range(start, start + count).toArray());
      Features found = classifier.extract(Pixels.of(batch.getFeatures(), images.normalization()));
      for (int i = 0; i < count; i++) {
        right += found.likeliestClass(i) == images.label(start + i) ? 1 : 0;
      }
    }
    return (double) right / images.size();
  }
}
