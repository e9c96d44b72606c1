package org.ddpm4j.cli.measure;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.ddpm4j.cli.distances.DistanceMeter;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.Defaults;
import org.ddpm4j.cli.options.GuidanceOptions;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.ModelOptions;
import org.ddpm4j.cli.options.ReferenceOptions;
import org.ddpm4j.cli.options.SamplerOptions;
import org.ddpm4j.cli.options.WeightsPlace;
import org.ddpm4j.cli.report.DistanceFiles;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Interruption;
import org.ddpm4j.cli.terminal.Progress;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.evaluation.ClassifierFeatures;
import org.ddpm4j.evaluation.DistanceReport;
import org.ddpm4j.evaluation.FeatureExtractor;
import org.ddpm4j.evaluation.InceptionFeatures;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.unet.Execution;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how far images are from real ones; {@code evaluate --distances} is the same. */
@Command(
    name = "distances",
    description =
        "Measure how far drawn images are from real ones (also: ddpm evaluate --distances).",
    footer = {
      "",
      "Draws images, or reads those of --images, and compares them with the training images of a",
      "data set in the features of a small classifier of clothes: Fréchet distance, kernel distance,",
      "precision and recall, density and coverage, inception score, and the Fréchet distance of",
      "each class. Beside them stand as many real test images, and noise. Distances depend on the",
      "number of images. Features of a data set are made once and kept in the user's cache."
    })
@Introduction(
    example = "ddpm distances --run runs/clothes",
    first = {
      "--run",
      "--model",
      "--count",
      "--images",
      "--sampler",
      "--steps",
      "--dataset",
      "--inception",
      "--seed",
      "--output"
    })
public final class DistancesCommand implements Callable<Integer> {

  private static final int MAX_COUNT = 100_000;

  /** Which evaluate hands on to this command. */
  private static final String OPTION = "--distances";

  private static final String DRAWN =
      "which compares the image files of a folder with the data set (--dataset, --data) and draws"
          + " nothing; leave one of the two out";

  private final Console console;

  @Option(
      names = "--inception",
      paramLabel = "FILE|OWNER/NAME[:FILE]",
      description =
          "Measure in the features of InceptionV3, as papers do, with these weights:"
              + " pt_inception-2015-12-05-6726825d.pth, here or in a model of the hub (default:"
              + " ddpm4j's small classifier).")
  private String inception;

  @Option(
      names = "--images",
      paramLabel = "DIR",
      description =
          "Measure the image files of this folder instead of drawing; they are brought to the data"
              + " set's size.")
  private Path images;

  @HasEffect(without = "--images", because = DRAWN)
  @Mixin
  private ModelOptions modelOptions;

  @Option(
      names = "--count",
      paramLabel = "N",
      description =
          "Number of images, at least 10 (default: "
              + MeasuringDefaults.COMPARED_IMAGES
              + "; all of a folder).")
  private Integer count;

  @HasEffect(without = "--images", because = DRAWN)
  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = Defaults.SEED,
      description = "Seed of the noise (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      defaultValue = Defaults.SAMPLE_BATCH_SIZE,
      description = "Images in one go (default: ${DEFAULT-VALUE}).")
  private int batchSize;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      description =
          "JSON file of all figures (default: distances.json in the run's folder or, without --run,"
              + " here).")
  private Path output;

  @Mixin private ReferenceOptions reference;

  @HasEffect(without = "--images", because = DRAWN)
  @Mixin
  private SamplerOptions samplerOptions;

  @HasEffect(without = "--images", because = DRAWN)
  @Mixin
  private GuidanceOptions guidanceOptions;

  /**
   * A command that has not been given any options.
   *
   * @param console it talks to
   */
  public DistancesCommand(Console console) {
    this.console = console;
  }

  /**
   * The command line of this command, where the user wrote it as {@code evaluate --distances}.
   *
   * @param args a command line
   * @return the same, but for that
   */
  public static String[] named(String... args) {
    List<String> words = new ArrayList<>(List.of(args));
    int command = words.indexOf("evaluate");
    boolean isFirst =
        words.stream().limit(command + 1L).filter(w -> !w.startsWith("-")).count() == 1;
    // Behind -- no word is an option.
    List<String> options = words.stream().takeWhile(word -> !word.equals("--")).toList();
    int option = Math.max(options.indexOf(OPTION), options.indexOf(OPTION + "=true"));
    if (command < 0 || !isFirst || option < 0) {
      return args;
    }
    words.remove(option);
    words.set(words.indexOf("evaluate"), "distances");
    return words.toArray(String[]::new);
  }

  @Override
  public Integer call() throws IOException {
    return Interruption.ofThread(this::measure);
  }

  private int measure() throws IOException {
    if (count != null) {
      BadInputException.requireRange("--count", count, DistanceReport.FEWEST_IMAGES, MAX_COUNT);
    }
    BadInputException.requireRange("--batch-size", batchSize, 1, MAX_COUNT);
    Path file = output == null ? modelOptions.defaultOutput("distances.json") : output;
    AtomicFile.requireWritable(file);
    Optional<Path> weights =
        inception == null
            ? Optional.empty()
            : Optional.of(WeightsPlace.file(inception, "inception", console));
    DistanceFiles found = images == null ? ofModel(weights) : ofFolder(weights);
    found.write(file);
    console.printText(found.table());
    console.printLine(file.toString());
    return 0;
  }

  private DistanceFiles ofModel(Optional<Path> weights) throws IOException {
    DiffusionModel model = modelOptions.read(console);
    Optional<RunConfig> run = modelOptions.run();
    PathSampler sampler = samplerOptions.sampler(model);
    SamplerOptions.requireX0(model, sampler.first());
    DiffusionPipeline pipeline = model.pipeline(sampler, guidanceOptions.guidance(model));
    ImageDataSet training = reference.training(run, Optional.of(model.shape()));
    int drawn = count == null ? Integer.parseInt(MeasuringDefaults.COMPARED_IMAGES) : count;
    try (DistanceMeter meter = meter(training, weights)) {
      SamplingOptions options = SamplingOptions.defaults().withBatchSize(batchSize);
      INDArray samples =
          Progress.ofSampling(
              console, pipeline, drawn, options, o -> pipeline.sample(drawn, seed, o));
      Map<String, DistanceReport> reports = new LinkedHashMap<>();
      reports.put("samples", meter.measure(model, pipeline, samples));
      addReal(
          reports,
          meter,
          meter.knowsClasses(model),
          reference.heldOut(run, Optional.of(model.shape()), drawn));
      addNoise(reports, meter, samples.shape());
      return new DistanceFiles(reports);
    }
  }

  private DistanceFiles ofFolder(Optional<Path> weights) throws IOException {
    if (!Files.isDirectory(images)) {
      throw new BadInputException(
          "--images is %s, which is no folder; name the folder of the image files to measure, or give --count to say how many images to draw.",
          images);
    }
    ImageDataSet training = reference.training(Optional.empty(), Optional.empty());
    ImageDataSet all = ReferenceOptions.folder(images, training.shape());
    if (all.size() < DistanceReport.FEWEST_IMAGES || (count != null && all.size() < count)) {
      throw new BadInputException(
          "%s holds %d image(s); %d are needed, so draw more, or name another folder.",
          images, all.size(), count == null ? DistanceReport.FEWEST_IMAGES : count);
    }
    ImageDataSet chosen = count == null ? all : all.takeSpread(count);
    try (DistanceMeter meter = meter(training, weights)) {
      Map<String, DistanceReport> reports = new LinkedHashMap<>();
      INDArray pixels = pixelsOf(chosen);
      reports.put("images", meter.measure(pixels, chosen.normalization(), null));
      addReal(
          reports,
          meter,
          false,
          reference.heldOut(Optional.empty(), Optional.empty(), chosen.size()));
      addNoise(reports, meter, pixels.shape());
      return new DistanceFiles(reports);
    }
  }

  private DistanceMeter meter(ImageDataSet training, Optional<Path> weights) throws IOException {
    return DistanceMeter.open(console, extractor(training, weights), training, reference.cache());
  }

  private static FeatureExtractor extractor(ImageDataSet training, Optional<Path> weights)
      throws IOException {
    return weights.isPresent()
        ? InceptionFeatures.read(weights.get())
        : ClassifierFeatures.bundled(training.shape().channels(), Execution.automatic());
  }

  private static INDArray pixelsOf(ImageDataSet images) {
    return images.batch(IntStream.range(0, images.size()).toArray()).getFeatures();
  }

  /** What the best figures are, of as many images. */
  private static void addReal(
      Map<String, DistanceReport> reports,
      DistanceMeter meter,
      boolean withLabels,
      Optional<ImageDataSet> heldOut) {
    if (heldOut.isEmpty() || heldOut.get().size() < DistanceReport.FEWEST_IMAGES) {
      return;
    }
    ImageDataSet real = heldOut.get();
    int[] labels = withLabels ? IntStream.range(0, real.size()).map(real::label).toArray() : null;
    reports.put("real test images", meter.measure(pixelsOf(real), real.normalization(), labels));
  }

  /** What the worst figures are. */
  private void addNoise(Map<String, DistanceReport> reports, DistanceMeter meter, long[] shape) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values =
        new float[Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact))];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextDouble(-1, 1);
    }
    INDArray noise = Nd4j.create(values, shape, 'c');
    int[] ofNoClass = {};
    reports.put("uniform noise", meter.measure(noise, Normalization.SYMMETRIC, ofNoClass));
  }
}
