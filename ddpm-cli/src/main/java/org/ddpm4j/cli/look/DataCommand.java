package org.ddpm4j.cli.look;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.ddpm4j.cli.options.AugmentationOptions;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.DataOptions;
import org.ddpm4j.cli.options.Defaults;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.Outputs;
import org.ddpm4j.cli.options.PixelScale;
import org.ddpm4j.cli.options.TrainingData;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.data.BatchOptions;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.ImageDataSetIterator;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows the images that training would see. */
@Command(
    name = "data",
    description = "Tell what is in a data set and draw its images as a network sees them.",
    footer = {
      "",
      "The picture has been through the network's normalisation and back: what is wrong with the",
      "images is wrong in it, too."
    })
@Introduction(example = "ddpm data --dataset cifar10 --per-class 8")
public final class DataCommand implements Callable<Integer> {

  private static final String PICTURE = "data.png";

  private static final int MAX_IMAGES = 10_000;
  private static final long MAX_PIXELS = 1L << 26;

  private final Console console;

  @Mixin private DataOptions data;

  @Mixin private AugmentationOptions augmentation;

  @HasEffect(without = "--per-class")
  @Option(
      names = "--count",
      paramLabel = "N",
      defaultValue = Defaults.SAMPLE_COUNT,
      description =
          "Number of images, evenly spread over the data set (default: ${DEFAULT-VALUE}).")
  private int count;

  @Option(
      names = "--per-class",
      paramLabel = "N",
      description = "Draw so many images of each class instead, a row for each.")
  private Integer perClass;

  @Option(
      names = "--scale",
      paramLabel = "N",
      defaultValue = Defaults.SAMPLE_SCALE,
      description = "Enlargement of the picture, 1 to 16 (default: ${DEFAULT-VALUE}).")
  private int scale;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      defaultValue = PICTURE,
      description = "Picture to write (default: ${DEFAULT-VALUE}).")
  private Path output;

  /**
   * A command with nothing chosen yet; picocli sets the fields.
   *
   * @param console where it writes
   */
  public DataCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    BadInputException.requireRange("--count", count, 1, MAX_IMAGES);
    BadInputException.requireRange("--scale", scale, 1, 16);
    if (perClass != null) {
      BadInputException.requireRange("--per-class", perClass, 1, MAX_IMAGES);
    }
    Outputs.requireKind("--output", output, Outputs.PNG);
    AtomicFile.requireWritable(output);
    data.requireOutside(output, "--output");
    TrainingData loaded = data.load(OptionalInt.of(0), Optional.empty());
    DataOptions.noteSkipped(console, "data", loaded.loaded());
    ImageDataSet images = loaded.images();
    List<int[]> byClass = byClass(images);
    INDArray drawn = perClass == null ? spread(images) : rows(images, byClass);
    int columns = perClass == null ? Images.squareColumns((int) drawn.size(0)) : perClass;
    print("data", loaded.description().name());
    print("source", images.source());
    print("images", Text.format("%d of %s", images.size(), images.shape()));
    print("pixels", PixelScale.describe(images.normalization()));
    print("fingerprint", images.fingerprint());
    print("classes", images.classNames().size());
    int row = 0;
    for (int label = 0; label < byClass.size(); label++) {
      int size = byClass.get(label).length;
      String place = perClass != null && size > 0 ? Text.format("row %d, ", ++row) : "";
      console.printLine("  %-4d %s%s: %d", label, place, images.classNames().get(label), size);
    }
    Images.writePng(Images.grid(drawn, columns, scale, images.normalization()), output);
    console.printLine(output.toString());
    return 0;
  }

  private static List<int[]> byClass(ImageDataSet images) {
    List<int[]> indices = new ArrayList<>();
    for (int label = 0; label < images.classNames().size(); label++) {
      int wanted = label;
      indices.add(
          IntStream.range(0, images.size()).filter(i -> images.label(i) == wanted).toArray());
    }
    return indices;
  }

  /** As a training with seed 0 would see them in its first epoch, but in the data set's order. */
  private INDArray augmented(ImageDataSet images) {
    BatchOptions options =
        BatchOptions.unshuffled(images.size()).withAugmentation(augmentation.augmentation());
    return new ImageDataSetIterator(images, options).batch(0).getFeatures();
  }

  private INDArray spread(ImageDataSet images) {
    int shown = Math.min(count, images.size());
    requirePixels(shown, images);
    ImageDataSet part = images.takeSpread(shown);
    return augmented(part);
  }

  /** A row for each class that has images, filled up with black. */
  private INDArray rows(ImageDataSet images, List<int[]> byClass) {
    List<int[]> classes = byClass.stream().filter(indices -> indices.length > 0).toList();
    requirePixels((long) classes.size() * perClass, images);
    INDArray rows =
        Nd4j.create(
            (long) classes.size() * perClass,
            images.shape().channels(),
            images.shape().height(),
            images.shape().width());
    Normalization normalization = images.normalization();
    for (int c = 0; c < images.shape().channels(); c++) {
      rows.get(NDArrayIndex.all(), NDArrayIndex.point(c)).assign(normalization.lower(c));
    }
    for (int i = 0; i < classes.size(); i++) {
      ImageDataSet ofClass = images.select(classes.get(i));
      ImageDataSet shown = ofClass.takeSpread(Math.min(perClass, ofClass.size()));
      long first = (long) i * perClass;
      rows.get(NDArrayIndex.interval(first, first + shown.size())).assign(augmented(shown));
    }
    return rows;
  }

  private void requirePixels(long number, ImageDataSet images) {
    long each = (images.shape().height() * scale + 1L) * (images.shape().width() * scale + 1L);
    if (number * each > MAX_PIXELS) {
      throw new BadInputException(
          "%d image(s) of %s at --scale %d would make too large a picture; lower --count, --per-class or --scale.",
          number, images.shape(), scale);
    }
  }

  private void print(String key, Object value) throws IOException {
    console.printLine("%-12s %s", key, value);
  }
}
