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
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.evaluation.ClassifierFeatures;
import org.ddpm4j.evaluation.ClassifierTraining;
import org.ddpm4j.evaluation.Features;
import org.ddpm4j.evaluation.Pixels;
import org.ddpm4j.unet.Execution;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

/**
 * Trains a classifier whose features distances are measured in, of clothes or of the images of a
 * folder such as {@link EmojiFolderExample} makes, and says how many test images it knows.
 */
public final class TrainFeatureClassifierExample {

  private static final int BATCH = 128;

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
    long steps = arguments.steps(1400);
    ImageDataSet training = images(args, Split.TRAIN);
    ImageDataSet tests = images(args, Split.TEST);
    String name = args.length > 2 ? Path.of(args[2]).getFileName().toString() : "fashion-mnist";
    Path file = arguments.output().resolve(name + "-classifier.safetensors");
    try (ClassifierFeatures classifier = train(name + "-classifier-1", training, steps)) {
      String accuracy = String.format(Locale.ROOT, "%.4f", accuracy(classifier, tests));
      System.out.println("Test accuracy: " + accuracy + " of " + tests.size());
      classifier.write(
          file,
          Map.ofEntries(
              Map.entry("trained_on", training.size() + " training images of " + name),
              Map.entry("steps", Long.toString(steps)),
              Map.entry("test_images", Integer.toString(tests.size())),
              Map.entry("test_accuracy", accuracy)));
    }
    System.out.println("Saved " + file);
  }

  private static ImageDataSet images(String[] args, Split split) throws IOException {
    return args.length > 2
        ? ImageFolder.read(
                Path.of(args[2]),
                split,
                ImageFolder.Labels.SUB_FOLDERS,
                ImageFileOptions.of(32, 32))
            .images()
        : FashionMnist.load(split);
  }

  private static ClassifierFeatures train(String name, ImageDataSet images, long steps) {
    BatchOptions options = BatchOptions.forTraining(BATCH, 1).withFlip(HorizontalFlip.RANDOM);
    return ClassifierTraining.defaults(steps)
        .train(
            name,
            images.classNames(),
            images.shape(),
            new ImageDataSetIterator(images, options),
            images.normalization(),
            Execution.automatic(),
            (step, loss) -> {
              if ((step + 1) % 100 == 0) {
                System.out.printf(Locale.ROOT, "step %d: loss %.3f%n", step + 1, loss);
              }
            });
  }

  private static double accuracy(ClassifierFeatures classifier, ImageDataSet images) {
    DataSet all = images.batch(IntStream.range(0, images.size()).toArray());
    INDArray pixels = Pixels.of(all.getFeatures(), images.normalization());
    Features found = classifier.extractAll(pixels, imagesDone -> {});
    return IntStream.range(0, images.size())
        .mapToDouble(i -> found.likeliestClass(i) == images.label(i) ? 1 : 0)
        .average()
        .orElseThrow();
  }
}
