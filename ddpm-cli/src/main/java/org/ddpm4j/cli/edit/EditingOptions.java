package org.ddpm4j.cli.edit;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.ClassChoice;
import org.ddpm4j.cli.options.DataOptions;
import org.ddpm4j.cli.options.DataPlaces;
import org.ddpm4j.cli.options.FileNames;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.Inputs;
import org.ddpm4j.cli.options.ModelOptions;
import org.ddpm4j.cli.options.Outputs;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.ImageFile;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * What all commands that edit images have in common: the model, the images' places, the picture.
 */
final class EditingOptions {

  private static final int MAX_IMAGES = 16;
  private static final long MAX_PIXELS = 1L << 26;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Mixin private ModelOptions modelOptions;

  @Mixin private DataPlaces places;

  @HasEffect(without = "--no-class", decidedBy = ClassChoice.class)
  @Option(
      names = "--class",
      paramLabel = "NAME",
      description =
          "With a network that was told classes: which, by name or number (default: that of a test"
              + " image, none for a file).")
  private String onlyClass;

  @HasEffect(without = "--class", decidedBy = ClassChoice.class)
  @Option(
      names = "--no-class",
      description =
          "With a network that was told classes: tell it none, whatever classes are called.")
  private boolean noClass;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      description =
          "The picture (default: one named for what it shows, in the folder of --run or here).")
  private Path output;

  @Option(
      names = "--scale",
      paramLabel = "N",
      defaultValue = EditingDefaults.EDITING_SCALE,
      description = "Enlargement of the picture, 1 to 16 (default: ${DEFAULT-VALUE}).")
  private int scale;

  private ImageDataSet testImages;

  int scale() {
    return scale;
  }

  /** Where the picture goes; checked before it is drawn. */
  Path output(String name) throws IOException {
    Path place = output == null ? modelOptions.defaultOutput(name) : output;
    Outputs.requireKind("--output", place, Outputs.PNG);
    AtomicFile.requireWritable(place);
    Inputs.requireOther(command, place);
    return place;
  }

  /** The model, which has to be of images that make pictures. */
  DiffusionModel model(Console console) throws IOException {
    BadInputException.requireRange("--scale", scale, 1, 16);
    DiffusionModel model = modelOptions.read(console);
    Outputs.requirePictures(model.shape());
    return model;
  }

  /** The model, which has to denoise images and not latents. */
  DiffusionModel modelOfPixels(Console console) throws IOException {
    DiffusionModel model = model(console);
    if (model.isLatent()) {
      throw new BadInputException(
          "This model denoises latents, not the pixels that this command works on; choose a model of pixels, or image-to-image.");
    }
    return model;
  }

  /** Refuses pictures that are too large. */
  void requirePixels(ImageShape shape, long columns, long rows) {
    long pixels = columns * rows * (shape.height() * scale + 1L) * (shape.width() * scale + 1L);
    if (pixels > MAX_PIXELS) {
      throw new BadInputException(
          "%d by %d images of %s at --scale %d make too large a picture; lower --scale, or ask for fewer.",
          rows, columns, shape, scale);
    }
  }

  /** Whether the user said something of an option. */
  boolean isGiven(String option) {
    return command.commandLine().getParseResult().hasMatchedOption(option);
  }

  /** Whether there is a test image of this number. */
  boolean isTestImage(String number, DiffusionModel model) throws IOException {
    return Integer.parseInt(number) < testImages(model).size();
  }

  /**
   * Reads the images of an option. Where nobody named any, those of its default that there are.
   *
   * @param option whose values the names are
   */
  List<EditedImage> read(String option, List<String> names, DiffusionModel model)
      throws IOException {
    if (isGiven(option)) {
      requireNoComma(option);
      return read(names, model);
    }
    List<String> there = new ArrayList<>();
    for (String name : names) {
      if (isTestImage(name, model)) {
        there.add(name);
      }
    }
    return read(there, model);
  }

  /** What a name with a comma in it is cut into is not what the user meant. */
  private void requireNoComma(String option) {
    for (String value :
        command.commandLine().getParseResult().matchedOption(option).originalStringValues()) {
      if (value.indexOf(',') >= 0 && Files.isRegularFile(FileNames.path(value))) {
        throw new BadInputException(
            "The file %s has a comma in its name, and commas part the images of %s; rename it, or name a link to it.",
            value, option);
      }
    }
  }

  /** Reads images. */
  List<EditedImage> read(List<String> names, DiffusionModel model) throws IOException {
    if (names.size() > MAX_IMAGES) {
      throw new BadInputException(
          "There are %d images to edit; name at most %d.", names.size(), MAX_IMAGES);
    }
    List<EditedImage> images = new ArrayList<>();
    for (String name : names) {
      images.add(read(name, model));
    }
    return images;
  }

  /**
   * Reads an image.
   *
   * @param name of a file, or the number of a test image of the data set that the model knows
   */
  EditedImage read(String name, DiffusionModel model) throws IOException {
    Path path = FileNames.path(name);
    if (!name.matches("\\d{1,9}") || Files.exists(path)) {
      ImageDataSet file = ImageFile.read(path, model.shape());
      return new EditedImage(
          file.withNormalization(model.normalization()).batch(0).getFeatures(),
          OptionalInt.empty(),
          path.getFileName().toString());
    }
    int number = Integer.parseInt(name);
    ImageDataSet test = testImages(model);
    if (number >= test.size()) {
      throw new BadInputException(
          "There is no test image %d: of %s, %s; give such a one, or the file of an image.",
          number,
          test.source(),
          test.size() == 1
              ? "the only number is 0"
              : Text.format("numbers go from 0 to %d", test.size() - 1));
    }
    int label = test.label(number);
    return new EditedImage(
        test.batch(number).getFeatures(), OptionalInt.of(label), test.classNames().get(label));
  }

  private ImageDataSet testImages(DiffusionModel model) throws IOException {
    if (testImages == null) {
      RunConfig run =
          modelOptions
              .run()
              .orElseThrow(
                  () ->
                      new BadInputException(
                          "A model folder knows no test images; name the file of an image."));
      testImages = DataOptions.heldOut(run, places.sources(), Integer.MAX_VALUE);
      if (!testImages.shape().equals(model.shape())) {
        throw new BadInputException(
            "The test images are of %s, the model's of %s; name the file of an image.",
            testImages.shape(), model.shape());
      }
    }
    return testImages;
  }

  /** Images side by side. */
  BufferedImage strip(DiffusionModel model, INDArray... images) {
    INDArray all = Nd4j.concat(0, images);
    return Images.grid(all, (int) all.size(0), scale, model.normalization());
  }

  /** The class that a network is told for an image; 0 for a network that is told none. */
  int classOf(EditedImage image, DiffusionModel model) {
    OptionalInt chosen = ClassChoice.of(onlyClass, noClass, model);
    if (chosen.isPresent()) {
      return chosen.getAsInt();
    }
    if (!model.isClassConditional()) {
      return 0;
    }
    return image.label().isPresent() ? image.label().getAsInt() : ClassChoice.none(model);
  }
}
