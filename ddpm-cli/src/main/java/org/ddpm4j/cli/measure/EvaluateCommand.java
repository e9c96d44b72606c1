package org.ddpm4j.cli.measure;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.ChosenRun;
import org.ddpm4j.cli.options.DataOptions;
import org.ddpm4j.cli.options.DataPlaces;
import org.ddpm4j.cli.options.Defaults;
import org.ddpm4j.cli.options.EnumConverter;
import org.ddpm4j.cli.options.ExecutionOptions;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.ReverseProcessOptions;
import org.ddpm4j.cli.options.WeightsOptions;
import org.ddpm4j.cli.report.BoundFiles;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Progress;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.ClassConditionalDenoiser;
import org.ddpm4j.diffusion.bound.BoundEvaluation;
import org.ddpm4j.diffusion.bound.DiscretizedGaussian;
import org.ddpm4j.diffusion.bound.StratifiedTimesteps;
import org.ddpm4j.diffusion.bound.VariationalBound;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.Text;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Measures how well a trained network predicts images that it has not seen. */
@Command(
    name = "evaluate",
    description = "Measure the variational bound of a run on held-out images, in bits/dim.",
    footer = {
      "",
      "Prints the parts of the bound, with standard errors over the images, and writes",
      "bound.csv (a line for each timestep), bound-images.csv and bound.png.",
      "With fewer --steps than the chain has timesteps, the sum over them is an unbiased",
      "estimate, with an error of its own that the standard error does not contain."
    })
@Introduction(example = "ddpm evaluate --run runs/clothes")
public final class EvaluateCommand implements Callable<Integer> {

  private static final int MAX_IMAGES = 1_000_000;

  /** Of {@code --images}, which names a folder where the distances are measured. */
  private static final class ImageCount implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      try {
        return Integer.valueOf(text);
      } catch (NumberFormatException e) {
        throw new TypeConversionException(
            Text.format(
                "'%s' is no number of images; to measure the image files of a folder, say 'ddpm distances --images DIR'",
                text));
      }
    }
  }

  private final Console console;

  @Spec private CommandSpec spec;

  @Option(
      names = "--run",
      paramLabel = "DIR",
      description = "Folder that train made (default: the model of clothes that ddpm4j brings).")
  private Path run;

  @Option(
      names = "--images",
      paramLabel = "N",
      converter = ImageCount.class,
      defaultValue = MeasuringDefaults.EVALUATED_IMAGES,
      description =
          "Number of images, spread over the test images of the run's data set (default:"
              + " ${DEFAULT-VALUE}).")
  private int images;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description =
          "Timesteps to evaluate, 2 to T, more of them where t is small (default: "
              + MeasuringDefaults.EVALUATED_TIMESTEPS
              + ").")
  private Integer steps;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = Defaults.SEED,
      description = "Seed of noise and timesteps (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--output",
      paramLabel = "DIR",
      description = "Folder for the files (default: the run's folder).")
  private Path output;

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      defaultValue = Defaults.SAMPLE_BATCH_SIZE,
      description = "Images in one go (default: ${DEFAULT-VALUE}).")
  private int batchSize;

  /** For the help: with it, another command is called. */
  @Option(
      names = "--distances",
      description =
          "Measure how far drawn images are from real ones instead: the command distances, whose"
              + " options then apply.")
  private boolean distances;

  @Mixin private ReverseProcessOptions reverseProcess;

  @Mixin private WeightsOptions weights;

  @Mixin private DataPlaces places;

  @Mixin private ExecutionOptions execution;

  /**
   * A command with nothing chosen yet; picocli sets the fields.
   *
   * @param console where it writes
   */
  public EvaluateCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    BadInputException.requireRange("--images", images, 1, MAX_IMAGES);
    BadInputException.requireRange("--batch-size", batchSize, 1, MAX_IMAGES);
    BoundFiles files = new BoundFiles(output == null ? ChosenRun.place(run, "") : output);
    Folders.requireWritable(files.folder());
    Path folder = ChosenRun.folder(run, spec, "'--run=DIR' is needed");
    DiffusionModel model = weights.read(folder, execution.execution(console));
    RunConfig config = RunFolder.open(folder).readConfig();
    NoiseSchedule schedule = model.schedule();
    Normalization normalization = model.normalization();
    StratifiedTimesteps timesteps = timesteps(schedule.timesteps());
    VariationalBound bound =
        new VariationalBound(
            schedule,
            reverseProcess.variance(model.unet().config()),
            reverseProcess.constraint(normalization),
            DiscretizedGaussian.of(normalization));
    ImageDataSet heldOut = DataOptions.heldOut(config, places.sources(), images);

    BoundEvaluation evaluation = evaluate(bound, model.denoiser(), heldOut, timesteps);
    files.write(evaluation);
    console.printLine(
        "%s: %d of %d timestep(s), variance %s, bits/dim",
        DataOptions.counted(heldOut.size(), heldOut.source()),
        timesteps.strata().size(),
        schedule.timesteps(),
        EnumConverter.spelling(bound.variance()));
    console.printText(BoundFiles.summary(evaluation));
    for (Path file : List.of(files.timesteps(), files.images(), files.picture())) {
      console.printLine(file.toString());
    }
    return 0;
  }

  private StratifiedTimesteps timesteps(int all) {
    int count =
        steps == null
            ? Math.min(Integer.parseInt(MeasuringDefaults.EVALUATED_TIMESTEPS), all)
            : steps;
    return BadInputException.check(() -> StratifiedTimesteps.draw(all, count, seed));
  }

  private BoundEvaluation evaluate(
      VariationalBound bound,
      ClassConditionalDenoiser denoiser,
      ImageDataSet heldOut,
      StratifiedTimesteps timesteps) {
    int count = timesteps.strata().size();
    long batches = (heldOut.size() + batchSize - 1L) / batchSize;
    List<BoundEvaluation> parts = new ArrayList<>();
    try (Progress progress = new Progress(console, "evaluate", "steps", 0, batches * count)) {
      for (int first = 0; first < heldOut.size(); first += batchSize) {
        int end = Math.min(heldOut.size(), first + batchSize);
        int[] batch = IntStream.range(first, end).toArray();
        INDArray x0 = heldOut.batch(batch).getFeatures();
        int[] classes = IntStream.of(batch).map(heldOut::label).toArray();
        long before = (long) parts.size() * count;
        parts.add(
            bound.evaluate(
                denoiser.withClasses(classes),
                x0,
                NoiseSource.seeded(seed, first),
                timesteps,
                done -> progress.update(before + done, "")));
      }
    }
    return BoundEvaluation.concat(parts);
  }
}
