package org.ddpm4j.cli.options;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.data.ColorMode;
import org.ddpm4j.data.CorruptFiles;
import org.ddpm4j.data.DataSources;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.ImageFolder;
import org.ddpm4j.data.LoadedImages;
import org.ddpm4j.data.NoSuchDataException;
import org.ddpm4j.data.Split;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.run.DataDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.io.Text;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which images to train on. */
@OptionGroup("The images")
public final class DataOptions {

  private static final String IMAGES = "images";

  private static final int MAX_NAMED_FILES = 10;

  /** How many images are held out, unless the user says. */
  public static final int HELD_OUT = 64;

  /** Of a small folder, unless the user says, so much is held out at most. */
  private static final int HELD_OUT_DIVISOR = 10;

  /** The images that are held out are the same in every run. */
  private static final long HELD_OUT_SEED = 0;

  @Option(
      names = "--dataset",
      paramLabel = "NAME",
      defaultValue = Defaults.DATA_SET,
      description =
          "${COMPLETION-CANDIDATES}, which is any folder of image files (default:"
              + " ${DEFAULT-VALUE}).")
  private KnownDataSet dataSet;

  @Mixin private DataPlaces places;

  @Option(
      names = "--image-size",
      paramLabel = "HxW",
      converter = SizeConverter.class,
      description =
          "Scale images to cover this size and cut out their middle, as in 48x64, or one number"
              + " (default: the data set's own size; "
              + Defaults.FOLDER_IMAGE_SIZE
              + " for a folder).")
  private Size imageSize;

  @HasEffect(
      with = "--dataset=cifar10|cifar100|tiny-imagenet|folder",
      because = "whose images are grey")
  @Option(names = "--grayscale", description = "Use shades of grey instead of colours.")
  private boolean grayscale;

  @Option(
      names = "--class",
      paramLabel = "NAME",
      description = "Use only the images of this class, by name or number.")
  private String onlyClass;

  @Option(
      names = "--max-images",
      paramLabel = "N",
      description = "Use at most so many images, evenly spread over the data set.")
  private Integer maxImages;

  @HasEffect(with = "--dataset=tiny-imagenet|folder", because = "which is no folder of image files")
  @Option(
      names = "--corrupt",
      paramLabel = "NAME",
      defaultValue = Defaults.CORRUPT,
      description =
          "What to do about image files that cannot be read: ${COMPLETION-CANDIDATES} (default:"
              + " ${DEFAULT-VALUE}).")
  private CorruptFiles corrupt;

  @Option(
      names = "--normalization",
      paramLabel = "NAME",
      description =
          "How the network sees pixels: ${COMPLETION-CANDIDATES} (default: imagenet for"
              + " tiny-imagenet in colour, otherwise symmetric, which is [-1,1]).")
  private PixelScale normalization;

  /** Nothing chosen yet; picocli sets the fields. */
  public DataOptions() {}

  /** {@return the data set that the user named} */
  public KnownDataSet chosen() {
    return dataSet;
  }

  /**
   * Refuses to write pictures to where the data set's images are, of which they would then be some.
   *
   * @param output the file or folder to write, which need not exist
   * @param option that chooses another
   * @throws IOException if the disk cannot tell
   */
  public void requireOutside(Path output, String option) throws IOException {
    Optional<Path> folder = places.sources().dataFolder();
    if (dataSet == KnownDataSet.FOLDER && folder.isPresent()) {
      Inputs.requireOutside(folder.get(), output, option);
    }
  }

  /**
   * The images to train on, with others held out.
   *
   * @param heldOut how many are held out, of a folder in one part just so many; empty for {@value
   *     #HELD_OUT}, of a small folder a tenth
   * @param usual how a model sees pixels unless the user says otherwise; empty for what is usual
   *     for the data set
   * @return the images
   * @throws IOException if they cannot be read
   */
  public TrainingData load(OptionalInt heldOut, Optional<Normalization> usual) throws IOException {
    if (maxImages != null) {
      BadInputException.requireRange("--max-images", maxImages, 1, Integer.MAX_VALUE);
    }
    Preparation preparation =
        new Preparation(
            Optional.ofNullable(imageSize),
            grayscale ? Optional.of(ColorMode.GRAYSCALE) : Optional.empty(),
            Optional.ofNullable(onlyClass),
            maxImages == null ? OptionalInt.empty() : OptionalInt.of(maxImages),
            corrupt,
            Optional.ofNullable(normalization).map(PixelScale::normalization).or(() -> usual));
    try {
      return load(
          dataSet,
          preparation,
          heldOut.orElse(HELD_OUT),
          heldOut.isPresent() ? 1 : HELD_OUT_DIVISOR);
    } catch (NoSuchDataException e) {
      if (!holdsPictures()) {
        throw e;
      }
      throw new IOException(
          e.getMessage()
              .replaceFirst("\\.$", ", or take the folder's own pictures by --dataset folder."),
          e);
    }
  }

  /** Whoever names a folder of photographs and no data set means these. */
  private boolean holdsPictures() {
    return places.sources().dataFolder().filter(ImageFolder::holdsImages).isPresent();
  }

  /**
   * The images that a run was begun with.
   *
   * @param run the configuration of the run
   * @return the images
   * @throws IOException if they cannot be read or are others
   */
  public TrainingData loadAgain(RunConfig run) throws IOException {
    DataDescription data = run.data();
    requirePlace(run, places.sources());
    return load(KnownDataSet.named(data.name()), Preparation.of(run), data.validationImages(), 1);
  }

  /** A folder may have moved since, but what it was called then helps to find it. */
  static void requirePlace(RunConfig run, DataSources sources) {
    if (KnownDataSet.isWhereTheUserSays(run.data()) && sources.dataFolder().isEmpty()) {
      throw new BadInputException(
          "The run's data are %s; name the folder, wherever it is now, by --data DIR.",
          run.data().source());
    }
  }

  /** Of a folder, at most a part is held out. */
  private TrainingData load(
      KnownDataSet name, Preparation preparation, int validationImages, int heldOutDivisor)
      throws IOException {
    DataSources sources = places.sources();
    LoadedImages loaded = read(name, Split.TRAIN, sources, preparation, true);
    ImageDataSet training = preparation.normalize(loaded.images());
    Optional<ImageDataSet> validation = Optional.empty();
    if (validationImages > 0 && name.hasTestImages(sources)) {
      validation = Optional.of(test(name, sources, preparation, validationImages, true));
      if (!validation.get().shape().equals(training.shape())) {
        throw new IOException(
            Text.format(
                "The training images are of %s, the test images of %s, and must be alike; take both from one data set, or train with --validation-images 0.",
                training.shape(), validation.get().shape()));
      }
    }
    int heldOut = Math.min(validationImages, training.size() / heldOutDivisor);
    if (heldOut > 0 && !name.hasTestImages(sources)) {
      if (heldOut == training.size()) {
        throw new BadInputException(
            "%d images are to be held out, and there are no more (%s); hold out fewer by --validation-images, or take a folder of more.",
            validationImages, training.source());
      }
      ImageDataSet.HoldOut parts = training.holdOut(heldOut, HELD_OUT_SEED);
      training = parts.training();
      validation = Optional.of(parts.heldOut());
    }
    return new TrainingData(
        training,
        validation.map(images -> images.batch(all(images))),
        new DataDescription(
            EnumConverter.spelling(name),
            training.source(),
            training.fingerprint(),
            training.size(),
            validation.map(ImageDataSet::size).orElse(0),
            DataDescription.Selection.of(
                preparation.onlyClass(), preparation.maxImages(), loaded.skipped().size())),
        loaded,
        sources.dataFolder());
  }

  /**
   * What the library says of reading, said of the options that it means.
   *
   * @param maySkip whether there is {@code --corrupt}
   */
  static LoadedImages read(
      KnownDataSet name, Split split, DataSources sources, Preparation preparation, boolean maySkip)
      throws IOException {
    try {
      return name.load(split, sources, preparation);
    } catch (IOException e) {
      String message = String.valueOf(e.getMessage());
      String said =
          message
              .replace(
                  ", or let corrupt files be skipped",
                  maySkip ? ", or skip them by --corrupt skip" : "")
              .replace("that holds them as data folder", "that holds them by --data")
              .replace(
                  "choose a smaller image size or fewer images, or give Java more memory",
                  (maySkip ? "choose less for --image-size or --max-images, or " : "")
                      + "give Java more memory by "
                      + Launch.javaOption("-Xmx4g"));
      if (said.equals(message)) {
        throw e;
      }
      throw new IOException(said, e);
    }
  }

  /** Test images, evenly spread over the data set, which may be sorted by class. */
  private static ImageDataSet test(
      KnownDataSet name, DataSources sources, Preparation preparation, int count, boolean maySkip)
      throws IOException {
    // Where files may be skipped, how many images a limit leaves is known only afterwards.
    OptionalInt limit =
        preparation.corrupt() == CorruptFiles.SKIP ? OptionalInt.empty() : OptionalInt.of(count);
    ImageDataSet test =
        read(name, Split.TEST, sources, preparation.withMaxImages(limit), maySkip).images();
    return preparation.normalize(test.takeSpread(Math.min(count, test.size())));
  }

  /**
   * Images that a run was not trained on, prepared as those that it was.
   *
   * @param run the configuration of the run
   * @param sources where images may come from
   * @param count the most images
   * @return the images
   * @throws IOException if they cannot be read
   */
  public static ImageDataSet heldOut(RunConfig run, DataSources sources, int count)
      throws IOException {
    DataDescription data = run.data();
    KnownDataSet name = KnownDataSet.named(data.name());
    requirePlace(run, sources);
    Preparation preparation = Preparation.of(run);
    if (name.hasTestImages(sources)) {
      return test(name, sources, preparation, count, false);
    }
    ImageDataSet heldOut = parts(run, sources).heldOut();
    return preparation.normalize(heldOut.takeSpread(Math.min(count, heldOut.size())));
  }

  /**
   * The two parts of a data set without test images, as a run has cut it: what it was trained on,
   * and what it held out.
   *
   * @param run the configuration of the run
   * @param sources where images may come from
   * @return both, not normalised
   * @throws IOException if they cannot be read, or are not the run's: of others nobody knows which
   *     it has seen
   */
  static ImageDataSet.HoldOut parts(RunConfig run, DataSources sources) throws IOException {
    DataDescription data = run.data();
    if (data.validationImages() == 0) {
      throw new BadInputException(
          "The run held no images back to measure on; train with --validation-images, or name image files where the command takes them.");
    }
    ImageDataSet all =
        read(KnownDataSet.named(data.name()), Split.TRAIN, sources, Preparation.of(run), false)
            .images();
    Optional<ImageDataSet.HoldOut> parts =
        Optional.of(data.validationImages())
            .filter(count -> count < all.size())
            .map(count -> all.holdOut(count, HELD_OUT_SEED))
            .filter(found -> found.training().fingerprint().equals(data.fingerprint()));
    return parts.orElseThrow(
        () ->
            new BadInputException(
                "%d %s are not the images of the run, which was trained on %d and held out %d more, so that nobody knows which of them it has not seen; name the folder as it was then by --data, or one in two parts, train and val.",
                all.size(), all.source(), data.trainingImages(), data.validationImages()));
  }

  private static int[] all(ImageDataSet images) {
    return IntStream.range(0, images.size()).toArray();
  }

  /**
   * Tells the user which files were left out.
   *
   * @param console that tells
   * @param command that reads
   * @param loaded what was read
   */
  public static void noteSkipped(Console console, String command, LoadedImages loaded) {
    if (!loaded.leftOut().isEmpty()) {
      console.note(
          "%s: left out files whose names do not end like those of images: %s",
          command, loaded.describeLeftOut());
    }
    List<LoadedImages.Skipped> skipped = loaded.skipped();
    for (LoadedImages.Skipped file :
        skipped.subList(0, Math.min(MAX_NAMED_FILES, skipped.size()))) {
      console.note("%s: skipped %s: %s", command, file.file(), file.reason());
    }
    if (skipped.size() > MAX_NAMED_FILES) {
      console.note(
          "%s: skipped %d more file(s) that cannot be read",
          command, skipped.size() - MAX_NAMED_FILES);
    }
  }

  /**
   * Where images come from, with their number before it unless it begins with that.
   *
   * @param images how many
   * @param source as data sets say it: "60 images, evenly spread, of …" of some of them
   * @return the words
   */
  public static String counted(long images, String source) {
    if (saysCount(images, source)) {
      return source;
    }
    String count = Text.count(images, "image");
    return source.startsWith(IMAGES)
        ? count + source.substring(IMAGES.length())
        : count + ", " + source;
  }

  /**
   * Whether the words on where images come from begin with their number.
   *
   * @param images how many
   * @param source as data sets say it
   * @return false where the number is still to be said
   */
  public static boolean saysCount(long images, String source) {
    String count = Text.count(images, "image");
    return source.startsWith(count + " ") || source.startsWith(count + ", ");
  }
}
