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
import org.ddpm4j.data.ImageFileOptions;
import org.ddpm4j.data.ImageFolder;
import org.ddpm4j.data.Split;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.evaluation.ClassifierFeatures;
import org.ddpm4j.evaluation.ClassifierTraining;
import org.ddpm4j.evaluation.Features;
import org.ddpm4j.evaluation.Pixels;
import org.ddpm4j.unet.Execution;
import org.nd4j.linalg.dataset.DataSet;

/**
 * Trains a classifier whose features distances are measured in, as those among ddpm-evaluation's
 * resources were trained, and says how many test images it knows: of clothes, or of the images of a
 * folder, such as {@link EmojiFolderExample} makes.
 */
public final class TrainFeatureClassifierExample {

  private static final int BATCH = 128;
  private static final ImageShape GREY = new ImageShape(1, 28, 28);
  private static final ImageShape COLOURED = new ImageShape(3, 32, 32);

  private TrainFeatureClassifierExample() {}

  /**
   * Trains, tests and saves.
   *
   * @param args the folder to write to, the number of steps, by default 1400, and a folder of
   *     coloured images in a part {@code train} and a part {@code test}, by default Fashion-MNIST
   * @throws IOException if the images cannot be read or the file cannot be written
   */
  public static void main(String[] args) throws IOException {
    Arguments arguments = Arguments.of(args);
    Path folder = arguments.output();
    long steps = arguments.steps(1400);

    boolean isFolder = args.length > 2;
    ImageDataSet training =
        isFolder ? folder(args[2], Split.TRAIN) : FashionMnist.load(Split.TRAIN);
    ImageDataSet tests = isFolder ? folder(args[2], Split.TEST) : FashionMnist.load(Split.TEST);
    String name = isFolder ? Path.of(args[2]).getFileName().toString() : "fashion-mnist";
    Path file = folder.resolve(name + "-classifier.safetensors");
    try (ClassifierFeatures classifier =
        train(name + "-classifier-1", training, isFolder ? COLOURED : GREY, steps)) {
      String accuracy = String.format(Locale.ROOT, "%.4f", accuracy(classifier, tests));
      System.out.println("Test accuracy: " + accuracy + " of " + tests.size());
      classifier.write(
          file,
          Map.of(
              "trained_on",
              training.size() + " training images of " + name,
              "steps",
              Long.toString(steps),
              "test_images",
              Integer.toString(tests.size()),
              "test_accuracy",
              accuracy));
    }
    System.out.println("Saved " + file);
  }

  private static ImageDataSet folder(String place, Split split) throws IOException {
    return ImageFolder.read(
            Path.of(place),
            split,
            ImageFolder.Labels.SUB_FOLDERS,
            ImageFileOptions.of(COLOURED.height(), COLOURED.width()))
        .images();
  }

  static ClassifierFeatures train(String name, ImageDataSet images, ImageShape shape, long steps) {
    BatchOptions options = BatchOptions.forTraining(BATCH, 1).withFlip(HorizontalFlip.RANDOM);
    return ClassifierTraining.defaults(steps)
        .train(
            name,
            images.classNames(),
            shape,
            new ImageDataSetIterator(images, options),
            images.normalization(),
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
