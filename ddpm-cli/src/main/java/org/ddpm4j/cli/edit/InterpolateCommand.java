package org.ddpm4j.cli.edit;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.Defaults;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.SamplerOptions;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Progress;
import org.ddpm4j.diffusion.Denoiser;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.config.SamplerConfig;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.editing.DdimInversion;
import org.ddpm4j.diffusion.editing.Interpolation;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.sampling.NoiseLevels;
import org.ddpm4j.diffusion.sampling.PathSampler;
import org.ddpm4j.diffusion.sampling.ReverseVariance;
import org.ddpm4j.diffusion.sampling.SamplingObserver;
import org.ddpm4j.diffusion.sampling.TimestepSpacing;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.plots.PictureTable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Goes from one image to another. */
@Command(
    name = "interpolate",
    description = "Go from one image to another, or from one noise to another.",
    footer = {
      "",
      "Rows: the two images mixed pixel by pixel; noisy images mixed and denoised, as DDPM does;",
      "the noises that DDIM finds for both mixed on a great circle, and drawn again by DDIM.",
      "With --seeds: two noises mixed on a great circle and, for comparison, on a straight line."
    })
@Introduction(
    example = "ddpm interpolate --seeds 1,2",
    first = {
      "--from",
      "--to",
      "--seeds",
      "--points",
      "--steps",
      "--strength",
      "--run",
      "--model",
      "--seed",
      "--output"
    })
public final class InterpolateCommand implements Callable<Integer> {

  private static final int MAX_POINTS = 32;

  private final Console console;

  @HasEffect(without = "--seeds")
  @Option(
      names = "--from",
      paramLabel = "FILE|N",
      defaultValue = EditingDefaults.INTERPOLATED_FROM,
      description =
          "An image file, or the number of a test image of the run's data set (default:"
              + " ${DEFAULT-VALUE}, or the first where there are fewer).")
  private String from;

  @HasEffect(without = "--seeds")
  @Option(
      names = "--to",
      paramLabel = "FILE|N",
      defaultValue = EditingDefaults.INTERPOLATED_TO,
      description = "Another one (default: ${DEFAULT-VALUE}, or the first).")
  private String to;

  @Option(
      names = "--seeds",
      paramLabel = "A,B",
      split = ",",
      description = "Instead of images: go from the noise of one seed to that of another.")
  private List<Long> seeds;

  @Option(
      names = "--points",
      paramLabel = "N",
      defaultValue = EditingDefaults.POINTS,
      description = "Images on the way, both ends included, 2 to 32 (default: ${DEFAULT-VALUE}).")
  private int points;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description =
          "Denoising steps, 1 to T, spread over the chain (default: " + Defaults.CHAIN_STEPS + ").")
  private Integer steps;

  @HasEffect(without = "--seeds")
  @Option(
      names = "--strength",
      paramLabel = "X",
      defaultValue = EditingDefaults.MIXING_STRENGTH,
      description =
          "How much of the chain DDPM's images are noised by, above 0 to 1 (default:"
              + " ${DEFAULT-VALUE}).")
  private double strength;

  @HasEffect(without = "--seeds")
  @Option(
      names = "--iterations",
      paramLabel = "N",
      defaultValue = EditingDefaults.ITERATIONS,
      description =
          "Calls of the network for each step of DDIM's way up, 1 to 100 (default:"
              + " ${DEFAULT-VALUE}).")
  private int iterations;

  @Mixin private NoiseSeedOption noiseSeed;

  @Mixin private EditingOptions editing;

  /**
   * A command with nothing chosen yet; picocli sets the fields.
   *
   * @param console where it writes
   */
  public InterpolateCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    BadInputException.requireRange("--points", points, 2, MAX_POINTS);
    BadInputException.requireRange("--iterations", iterations, 1, 100);
    checkSeeds();
    Path output = editing.output("interpolation.png");
    DiffusionModel model = editing.modelOfPixels(console);
    editing.requirePixels(model.shape(), points, 3);
    int number = SamplerOptions.steps(steps, SamplerType.DDPM, model.schedule().timesteps());
    DdimInversion ddim =
        new DdimInversion(
            NoiseLevels.of(model.schedule(), TimestepSpacing.LEADING, number), iterations);
    PictureTable table;
    if (seeds == null) {
      PathSampler chain = chain(model, number);
      SamplerOptions.requireX0(model, chain.first());
      table = ofImages(model, chain, ddim);
    } else {
      SamplerOptions.requireX0(model, ddim.decoder().first());
      table = ofSeeds(model, ddim.decoder());
    }
    Images.writePng(table.draw(), output);
    console.printLine(output.toString());
    return 0;
  }

  /** The end of DDPM's chain, for images; noises have no use of a strength. */
  private PathSampler chain(DiffusionModel model, int number) {
    SamplerConfig.Part part =
        BadInputException.check(() -> SamplerConfig.Part.ofStrength(number, strength));
    return SamplerConfig.of(SamplerType.DDPM)
        .withVariance(
            model.unet().config().learnsVariance()
                ? ReverseVariance.LEARNED
                : ReverseVariance.POSTERIOR)
        .create(model.schedule(), part, X0Constraint.clip(model.normalization()));
  }

  private void checkSeeds() {
    if (seeds == null) {
      return;
    }
    if (seeds.size() != 2) {
      throw new BadInputException(
          "There are %d seeds; --seeds takes two, as in --seeds 1,2.", seeds.size());
    }
  }

  private PictureTable ofImages(DiffusionModel model, PathSampler chain, DdimInversion ddim)
      throws IOException {
    List<EditedImage> ends = editing.read(ends(model), model);
    INDArray x0 = Nd4j.concat(0, ends.get(0).image(), ends.get(1).image());
    int[] labels = ends.stream().mapToInt(end -> editing.classOf(end, model)).toArray();
    Denoiser ofEnds = model.denoiser().withClasses(labels);
    Denoiser ofPoints = model.denoiser().withClasses(labelsOfPoints(labels[0], labels[1]));
    long all = chain.steps() + 2L * ddim.steps();
    try (Progress progress = new Progress(console, "interpolate", "steps", 0, all)) {
      long[] done = {0};
      SamplingObserver observer = (stepsDone, x, guess) -> progress.update(++done[0], "");
      NoiseSource noise = NoiseSource.seeded(noiseSeed.seed(), 0);
      INDArray noisy = ForwardProcess.qSample(x0, chain.first(), noise.gaussian(0, x0.shape()));
      INDArray mixed =
          chain.denoise(
              ofPoints,
              path(Interpolation.LINEAR, noisy),
              NoiseSource.shared(noiseSeed.seed(), 0),
              observer);
      INDArray latents = ddim.invert(ofEnds, x0, observer);
      INDArray decoded =
          ddim.decoder().denoise(ofPoints, path(Interpolation.SPHERICAL, latents), noise, observer);
      return new PictureTable(List.of())
          .row("pixels", editing.strip(model, path(Interpolation.LINEAR, x0)))
          .row("DDPM", editing.strip(model, mixed))
          .row("DDIM", editing.strip(model, decoded));
    }
  }

  /** Two of them, and where nobody named one, one that there is and that is not the other. */
  private List<String> ends(DiffusionModel model) throws IOException {
    String last = editing.isGiven("--to") ? to : testImageOtherThan(from, to, model);
    String first = editing.isGiven("--from") ? from : testImageOtherThan(last, from, model);
    return List.of(first, last);
  }

  private String testImageOtherThan(String other, String usual, DiffusionModel model)
      throws IOException {
    for (String number :
        List.of(usual, EditingDefaults.EDITED_IMAGE, EditingDefaults.INTERPOLATED_TO)) {
      if (!number.equals(other) && editing.isTestImage(number, model)) {
        return number;
      }
    }
    throw new BadInputException(
        "There is one test image alone, and nothing to go to from it; name the file of another by --from or --to.");
  }

  /** A network that is told classes is told the nearer end's. */
  private int[] labelsOfPoints(int first, int last) {
    int[] labels = new int[points];
    Arrays.setAll(labels, i -> 2 * i < points ? first : last);
    return labels;
  }

  private PictureTable ofSeeds(DiffusionModel model, PathSampler ddim) {
    ImageShape shape = model.shape();
    long[] one = {1, shape.channels(), shape.height(), shape.width()};
    INDArray noises =
        Nd4j.concat(
            0,
            ddim.initial(NoiseSource.seeded(seeds.get(0), 0), one),
            ddim.initial(NoiseSource.seeded(seeds.get(1), 0), one));
    int label = editing.classOf(new EditedImage(noises, OptionalInt.empty(), ""), model);
    Denoiser denoiser = model.denoiser().withClasses(labelsOfPoints(label, label));
    PictureTable table = new PictureTable(List.of());
    Interpolation[] ways = {Interpolation.SPHERICAL, Interpolation.LINEAR};
    try (Progress progress = new Progress(console, "interpolate", "steps", 0, 2L * ddim.steps())) {
      long[] done = {0};
      for (Interpolation way : ways) {
        INDArray decoded =
            ddim.denoise(
                denoiser,
                BadInputException.check(() -> path(way, noises)),
                NoiseSource.seeded(noiseSeed.seed(), 0),
                (stepsDone, x, guess) -> progress.update(++done[0], ""));
        table.row(
            way == Interpolation.SPHERICAL ? "great circle" : "straight line",
            editing.strip(model, decoded));
      }
    }
    return table;
  }

  private INDArray path(Interpolation way, INDArray ends) {
    return way.path(
        ends.get(NDArrayIndex.interval(0, 1)), ends.get(NDArrayIndex.interval(1, 2)), points);
  }
}
