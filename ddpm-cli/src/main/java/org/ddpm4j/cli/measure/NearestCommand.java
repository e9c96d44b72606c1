package org.ddpm4j.cli.measure;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.Defaults;
import org.ddpm4j.cli.options.GuidanceOptions;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.ModelOptions;
import org.ddpm4j.cli.options.Outputs;
import org.ddpm4j.cli.options.ReferenceOptions;
import org.ddpm4j.cli.options.SamplerOptions;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Interruption;
import org.ddpm4j.cli.terminal.Progress;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.evaluation.ClassifierFeatures;
import org.ddpm4j.evaluation.Closeness;
import org.ddpm4j.evaluation.FeatureExtractor;
import org.ddpm4j.evaluation.Features;
import org.ddpm4j.evaluation.NearestImages;
import org.ddpm4j.evaluation.Pixels;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.Text;
import org.ddpm4j.plots.Axis;
import org.ddpm4j.plots.Histogram;
import org.ddpm4j.plots.LineChart;
import org.ddpm4j.plots.Panels;
import org.ddpm4j.plots.PictureTable;
import org.ddpm4j.unet.Execution;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows the training images that are nearest to drawn ones: has the model learned by heart? */
@Command(
    name = "nearest",
    description = "Show the training images that are nearest to drawn ones.",
    footer = {
      "",
      "Draws images and finds the nearest training image of each, by its pixels and in the features",
      "of a small classifier. Writes nearest.png, with the closest first, nearest-distances.png,",
      "where their distances stand beside those of test images, and nearest.csv. Of a model that",
      "copies, more images are close than of those that it has never seen."
    })
@Introduction(
    example = "ddpm nearest --run runs/clothes --count 64",
    first = {
      "--run",
      "--model",
      "--count",
      "--dataset",
      "--data",
      "--sampler",
      "--steps",
      "--guidance",
      "--seed",
      "--output"
    })
public final class NearestCommand implements Callable<Integer> {

  private static final int MAX_COUNT = 10_000;
  private static final int SHOWN_IN_ROW = 16;
  private static final int MOST_ROWS = 4;
  private static final int SCALE = 2;
  private static final int BINS = 30;

  private final Console console;

  @Mixin private ModelOptions modelOptions;

  @Option(
      names = "--count",
      paramLabel = "N",
      defaultValue = MeasuringDefaults.NEAREST_IMAGES,
      description = "Number of images (default: ${DEFAULT-VALUE}).")
  private int count;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = Defaults.SEED,
      description = "Seed of the noise (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      description = "Folder for the files (default: the run's folder or, without --run, this one).")
  private Path output;

  @Mixin private ReferenceOptions reference;

  @Mixin private SamplerOptions samplerOptions;

  @Mixin private GuidanceOptions guidanceOptions;

  /**
   * A command with nothing chosen yet; picocli sets the fields.
   *
   * @param console where it writes
   */
  public NearestCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    return Interruption.ofThread(this::find);
  }

  /** Drawn images and unseen ones, and what is nearest to each by one measure. */
  private record Found(String measure, int[] nearest, double[] distances, int drawn) {

    Closeness closeness() {
      return new Closeness(
          Arrays.copyOf(distances, drawn), Arrays.copyOfRange(distances, drawn, distances.length));
    }
  }

  private int find() throws IOException {
    BadInputException.requireRange("--count", count, 2, MAX_COUNT);
    Path folder = output == null ? modelOptions.defaultOutput("") : output;
    Folders.requireWritable(folder);
    DiffusionModel model = modelOptions.read(console);
    Outputs.requirePictures(model.shape());
    Optional<RunConfig> run = modelOptions.run();
    PathSampler sampler = samplerOptions.sampler(model);
    SamplerOptions.requireX0(model, sampler.first());
    DiffusionPipeline pipeline = model.pipeline(sampler, guidanceOptions.guidance(model));
    ImageDataSet training = reference.training(run, Optional.of(model.shape()));
    ImageDataSet unseen =
        reference
            .heldOut(run, Optional.of(model.shape()), count)
            .orElseThrow(
                () ->
                    new BadInputException(
                        "There are no test images to compare with: the data set has none, and the run held none out; train with --validation-images, or give another data set by --dataset."));
    INDArray samples =
        Progress.ofSampling(
            console,
            pipeline,
            count,
            SamplingOptions.defaults(),
            options -> pipeline.sample(count, seed, options));
    INDArray drawn = Pixels.of(samples, model.normalization());
    List<Found> found = nearest(drawn, batch(unseen, 0, unseen.size()), training);
    write(folder, drawn, training, found);
    return 0;
  }

  /** Pixels of some of the images. */
  private static INDArray batch(ImageDataSet images, int first, int end) {
    return Pixels.of(
        images.batch(IntStream.range(first, end).toArray()).getFeatures(), images.normalization());
  }

  private List<Found> nearest(INDArray drawn, INDArray unseen, ImageDataSet training)
      throws IOException {
    INDArray images = Nd4j.concat(0, drawn, unseen);
    try (FeatureExtractor extractor =
            ClassifierFeatures.bundled(training.shape().channels(), Execution.automatic());
        Progress progress = new Progress(console, "nearest", "images", 0, training.size())) {
      NearestImages byPixels = new NearestImages(Pixels.asFeatures(images));
      NearestImages byFeatures = new NearestImages(extractor.extractAll(images, done -> {}));
      for (int first = 0; first < training.size(); first += FeatureExtractor.BATCH_SIZE) {
        int end = Math.min(training.size(), first + FeatureExtractor.BATCH_SIZE);
        INDArray pixels = batch(training, first, end);
        Features features = extractor.extract(pixels);
        byPixels.add(Pixels.asFeatures(pixels));
        byFeatures.add(features);
        progress.update(end, "");
      }
      int count = (int) drawn.size(0);
      return List.of(
          new Found("pixels", byPixels.nearest(), byPixels.distances(), count),
          new Found("features", byFeatures.nearest(), byFeatures.distances(), count));
    }
  }

  private void write(Path folder, INDArray drawn, ImageDataSet training, List<Found> found)
      throws IOException {
    Folders.create(folder);
    Path picture = folder.resolve("nearest.png");
    Images.writePng(picture(drawn, training, found), picture);
    Path chart = folder.resolve("nearest-distances.png");
    Images.writePng(Panels.grid(found.stream().map(NearestCommand::chart).toList(), 2), chart);
    Path table = folder.resolve("nearest.csv");
    AtomicFile.writeString(table, table(found));
    for (Found one : found) {
      Closeness closeness = one.closeness();
      console.printLine(
          "%-9s median distance %.3f, of test images %.3f; %.1f %% are closer than the closest %.0f %% of test images",
          one.measure,
          closeness.generatedMedian(),
          closeness.heldOutMedian(),
          100 * closeness.closeShare(),
          100 * Closeness.CLOSE_SHARE);
    }
    for (Path file : List.of(picture, chart, table)) {
      console.printLine(file.toString());
    }
  }

  /** The closest first, by pixels. */
  private static BufferedImage picture(INDArray drawn, ImageDataSet training, List<Found> found) {
    double[] closeness = found.get(0).distances;
    int shown = Math.min(found.get(0).drawn, SHOWN_IN_ROW * MOST_ROWS);
    int[] order =
        IntStream.range(0, found.get(0).drawn)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> closeness[i]))
            .mapToInt(Integer::intValue)
            .limit(shown)
            .toArray();
    PictureTable table = new PictureTable(List.of());
    for (int first = 0; first < shown; first += SHOWN_IN_ROW) {
      int[] row = Arrays.copyOfRange(order, first, Math.min(shown, first + SHOWN_IN_ROW));
      INDArray samples =
          Nd4j.concat(
              0,
              IntStream.of(row)
                  .mapToObj(i -> drawn.get(NDArrayIndex.interval(i, i + 1)))
                  .toArray(INDArray[]::new));
      table.row("drawn", strip(samples));
      for (Found one : found) {
        int[] nearest = IntStream.of(row).map(i -> one.nearest[i]).toArray();
        table.row(
            "by " + one.measure,
            strip(Pixels.of(training.batch(nearest).getFeatures(), training.normalization())));
      }
    }
    return table.draw();
  }

  private static BufferedImage strip(INDArray pixels) {
    return Images.grid(pixels.div(127.5).subi(1), (int) pixels.size(0), SCALE);
  }

  private static BufferedImage chart(Found found) {
    Closeness closeness = found.closeness();
    double largest = Arrays.stream(found.distances).max().orElseThrow();
    // Where everything is a copy, all distances are nothing.
    double end = largest > 0 ? largest : 1;
    return LineChart.of(
            "Distance to the nearest training image, " + found.measure,
            List.of(
                Histogram.shares("drawn images", closeness.generated(), 0, end, BINS),
                Histogram.shares("test images", closeness.heldOut(), 0, end, BINS)))
        .withAxes(Axis.linear("distance"), Axis.linear("share").withRange(0, Double.NaN))
        .draw();
  }

  private static String table(List<Found> found) {
    StringBuilder table = new StringBuilder("kind,image");
    for (Found one : found) {
      table.append(Text.format(",nearest_by_%s,distance_by_%s", one.measure, one.measure));
    }
    table.append('\n');
    int drawn = found.get(0).drawn;
    for (int i = 0; i < found.get(0).nearest.length; i++) {
      table.append(i < drawn ? "drawn," + i : "test," + (i - drawn));
      for (Found one : found) {
        table.append(Text.format(",%d,%s", one.nearest[i], one.distances[i]));
      }
      table.append('\n');
    }
    return table.toString();
  }
}
