package org.ddpm4j.cli.measure;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.ddpm4j.cli.distances.DistanceMeter;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.ChosenRun;
import org.ddpm4j.cli.options.Defaults;
import org.ddpm4j.cli.options.ExecutionOptions;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.Outputs;
import org.ddpm4j.cli.options.ReferenceOptions;
import org.ddpm4j.cli.options.SamplerOptions;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Interruption;
import org.ddpm4j.cli.terminal.Progress;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.diffusion.run.TrainedWeights;
import org.ddpm4j.evaluation.ClassifierFeatures;
import org.ddpm4j.evaluation.DistanceReport;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.plots.PictureTable;
import org.ddpm4j.unet.Execution;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Draws what every sampler makes of a few steps, side by side. */
@Command(
    name = "samplers",
    description = "Draw a picture of all samplers by their number of steps.",
    footer = {
      "",
      "A row for each sampler, a column for each number of steps, the same seed everywhere.",
      "With --distances, a curve for each sampler: how far its images are from real ones, by the",
      "number of steps, and a table of the figures beside the picture."
    })
@Introduction(example = "ddpm samplers --steps 5,10,20")
public final class SamplersCommand implements Callable<Integer> {

  private static final int DEFAULT_COUNT = 4;
  private static final int MAX_COUNT = 16;
  private static final int MOST_MEASURED = 50_000;
  private static final int SCALE = 2;

  private final Console console;

  @Spec private CommandSpec spec;

  @Option(
      names = "--run",
      paramLabel = "DIR",
      description = "Folder that train made (default: the model of clothes that ddpm4j brings).")
  private Path run;

  @Option(
      names = "--samplers",
      paramLabel = "NAME",
      split = ",",
      description = "Which, of ${COMPLETION-CANDIDATES} (default: all).")
  private List<SamplerType> samplers;

  @Option(
      names = "--steps",
      paramLabel = "N",
      split = ",",
      defaultValue = "5,10,20,50",
      description = "Numbers of steps (default: ${DEFAULT-VALUE}).")
  private List<Integer> steps;

  @Option(
      names = "--count",
      paramLabel = "N",
      description =
          "Images of each, 1 to 16 (default: 4), or with --distances 10 to 50000 (default: "
              + MeasuringDefaults.COMPARED_SAMPLES
              + ").")
  private Integer count;

  @Option(
      names = "--distances",
      description = "Measure how far the images are from real ones instead of showing them.")
  private boolean distances;

  @HasEffect(with = "--distances")
  @Mixin
  private ReferenceOptions reference;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = Defaults.SEED,
      description = "Seed of the noise (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      defaultValue = "samplers.png",
      description = "The picture (default: ${DEFAULT-VALUE}).")
  private Path output;

  @Mixin private ExecutionOptions execution;

  /**
   * A command with nothing chosen yet; picocli sets the fields.
   *
   * @param console where it writes
   */
  public SamplersCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    return Interruption.ofThread(this::draw);
  }

  private int draw() throws IOException {
    requireCount();
    Outputs.requireKind("--output", output, Outputs.PNG);
    AtomicFile.requireWritable(output);
    Path folder = ChosenRun.folder(run, spec, "'--run=DIR' is needed");
    DiffusionModel model =
        DiffusionModel.ofRun(
            RunFolder.open(folder),
            TrainedWeights.EMA,
            Optional.empty(),
            execution.execution(console));
    for (int number : steps) {
      SamplerOptions.requireSteps(number, model.schedule().timesteps());
    }
    List<SamplerType> chosen = Objects.requireNonNullElse(samplers, List.of(SamplerType.values()));
    if (distances) {
      measure(model, RunFolder.open(folder).readConfig(), chosen);
    } else {
      show(model, chosen);
    }
    console.printLine(output.toString());
    return 0;
  }

  private void requireCount() {
    if (count == null) {
      count = distances ? Integer.parseInt(MeasuringDefaults.COMPARED_SAMPLES) : DEFAULT_COUNT;
    }
    BadInputException.requireRange(
        "--count",
        count,
        distances ? DistanceReport.FEWEST_IMAGES : 1,
        distances ? MOST_MEASURED : MAX_COUNT);
  }

  private void measure(DiffusionModel model, RunConfig config, List<SamplerType> chosen)
      throws IOException {
    List<Integer> rising = steps.stream().sorted().distinct().toList();
    SamplerDistances found = new SamplerDistances();
    try (DistanceMeter meter =
            DistanceMeter.open(
                console,
                ClassifierFeatures.bundled(model.shape().channels(), Execution.automatic()),
                reference.training(Optional.of(config), Optional.of(model.shape())),
                reference.cache());
        Progress progress =
            new Progress(console, "samplers", "samples", 0, (long) chosen.size() * rising.size())) {
      long done = 0;
      for (SamplerType type : chosen) {
        for (int number : rising) {
          Optional<DiffusionPipeline> pipeline = pipelineIfPossible(model, type, number);
          if (pipeline.isPresent()) {
            INDArray images = pipeline.get().sample(count, seed);
            found.add(type, number, meter.measure(model, pipeline.get(), images));
          }
          progress.update(++done, type.toString());
        }
      }
    }
    if (found.isEmpty()) {
      throw new BadInputException(
          "None of the samplers can draw with any of these numbers of steps; choose others by --samplers or --steps.");
    }
    found.writePicture(output);
    Path table = output.resolveSibling(output.getFileName() + ".csv");
    found.writeTable(table);
    console.printLine(table.toString());
  }

  private void show(DiffusionModel model, List<SamplerType> chosen) throws IOException {
    PictureTable table = new PictureTable(steps.stream().map(number -> number + " steps").toList());
    try (Progress progress =
        new Progress(console, "samplers", "samples", 0, (long) chosen.size() * steps.size())) {
      long done = 0;
      for (SamplerType type : chosen) {
        List<INDArray> row = new ArrayList<>();
        for (int number : steps) {
          row.add(drawIfPossible(model, type, number));
          progress.update(++done, type.toString());
        }
        table.row(type.toString(), strip(row, model.normalization()));
      }
    }
    Images.writePng(table.draw(), output);
  }

  private Optional<DiffusionPipeline> pipelineIfPossible(
      DiffusionModel model, SamplerType type, int number) {
    try {
      return Optional.of(BadInputException.check(() -> model.pipeline(type, number)));
    } catch (BadInputException e) {
      console.note("samplers: %s, %d step(s): %s", type, number, e.getMessage());
      return Optional.empty();
    }
  }

  /** A sampler that cannot take so few steps leaves its place empty. */
  private INDArray drawIfPossible(DiffusionModel model, SamplerType type, int number) {
    ImageShape shape = model.shape();
    return pipelineIfPossible(model, type, number)
        .map(pipeline -> pipeline.sample(count, seed))
        .orElseGet(() -> Nd4j.zeros(count, shape.channels(), shape.height(), shape.width()));
  }

  private BufferedImage strip(List<INDArray> images, Normalization normalization) {
    INDArray all = Nd4j.concat(0, images.toArray(INDArray[]::new));
    return Images.grid(all, (int) all.size(0), SCALE, normalization);
  }
}
