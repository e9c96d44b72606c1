package org.ddpm4j.cli.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.ddpm4j.cli.distances.DistanceMeter;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.DataOptions;
import org.ddpm4j.cli.options.EnumConverter;
import org.ddpm4j.cli.options.ExecutionOptions;
import org.ddpm4j.cli.options.FeatureCacheOptions;
import org.ddpm4j.cli.options.HasEffect;
import org.ddpm4j.cli.options.Introduction;
import org.ddpm4j.cli.options.ModelPlace;
import org.ddpm4j.cli.options.SamplerOptions;
import org.ddpm4j.cli.options.TrainingData;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Interruption;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.image.HorizontalFlip;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.model.DefaultSampler;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.diffusion.run.ModelDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.diffusion.run.TrainingDescription;
import org.ddpm4j.evaluation.DistanceReport;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.NewFolder;
import org.ddpm4j.unet.Execution;
import org.nd4j.linalg.api.ndarray.INDArray;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Trains a network and leaves a folder that tells everything about the run. */
@Command(
    name = "train",
    description = "Train a network on images; with no option, on what data there is.",
    footer = {
      "",
      "Ctrl-C saves a checkpoint before it ends the program. A run is resumed by --resume DIR and",
      "then ends as if it had never stopped; with --steps N it ends at another step than it was",
      "to. --from MODEL begins a new run with the network of another, or of a pipeline."
    })
@Introduction(
    example = "ddpm train --dataset mnist --minutes 9",
    first = {
      "--dataset",
      "--data",
      "--network",
      "--class-conditional",
      "--steps",
      "--minutes",
      "--batch-size",
      "--learning-rate",
      "--run",
      "--resume"
    })
public final class TrainCommand implements Callable<Integer> {

  private static final Path RUNS = Path.of("runs");
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT);

  private final Console console;

  @Spec private CommandSpec spec;

  @Option(
      names = "--run",
      paramLabel = "DIR",
      description = "Folder to make for the run (default: runs/<data set>-<time>).")
  private Path run;

  // None of these changes what the run becomes, but for rounding.
  @HasEffect(
      leaves = {
        "--steps",
        "--data",
        "--offline",
        "--time-limit",
        "--sample-steps",
        "--evaluate-every",
        "--evaluate-images",
        "--cache",
        "--layers",
        "--threads",
        "--device",
        "--precision",
        "--dry-run",
        "--verbose"
      },
      because = "since a run keeps its configuration; begin a new run to change it")
  @Option(
      names = "--resume",
      paramLabel = "DIR",
      description = "Go on with the run in this folder from its newest checkpoint.")
  private Path resume;

  @Option(
      names = "--from",
      paramLabel = "MODEL",
      description =
          "Begin with the trained network of a run, of a diffusers pipeline, of a model folder or of"
              + " a checkpoint of lucidrains' trainer (model-N.pt), of a model of the hub"
              + " (OWNER/NAME[@REVISION]), or with the one that comes along ("
              + NamedModel.BUNDLED
              + "). Schedule, parameterization and normalization are its own unless given.")
  private Path from;

  @HasEffect(with = {"--from", "--distill"})
  @Mixin
  private ModelPlace place;

  @Option(
      names = "--time-limit",
      paramLabel = "MINUTES",
      description =
          "Stop training after so long and finish the run's files, 0 for no limit (default:"
              + " none but that of --minutes).")
  private Double timeLimit;

  @Option(
      names = "--sample-steps",
      paramLabel = "N",
      description =
          "Denoising steps of the sample grids, 1 to T (default: as many as sample makes).")
  private Integer sampleSteps;

  @Option(
      names = "--evaluate-every",
      paramLabel = "N",
      description =
          "Measure every so many steps how far samples are from the training images, as the command"
              + " distances does, in distances.csv and report.html (default: never).")
  private Long evaluateEvery;

  @HasEffect(with = "--evaluate-every")
  @Option(
      names = "--evaluate-images",
      paramLabel = "N",
      defaultValue = TrainingDefaults.EVALUATED_IMAGES,
      description =
          "With --evaluate-every: samples of a measurement, drawn in "
              + TrainingSession.EVALUATION_STEPS
              + " steps at most (default: ${DEFAULT-VALUE}).")
  private int evaluateImages;

  @HasEffect(with = "--evaluate-every")
  @Mixin
  private FeatureCacheOptions cache;

  @Option(names = "--dry-run", description = "Print the configuration of the run and do nothing.")
  private boolean dryRun;

  @Mixin private DataOptions data;

  @Mixin private TrainingOptions training;

  @Mixin private ExecutionOptions execution;

  /**
   * A command with nothing chosen yet; picocli sets the fields.
   *
   * @param console where it writes
   */
  public TrainCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    long begun = System.nanoTime();
    if (evaluateEvery != null) {
      BadInputException.requireRange("--evaluate-every", evaluateEvery, 1, Long.MAX_VALUE);
    }
    BadInputException.requireRange(
        "--evaluate-images",
        evaluateImages,
        DistanceReport.FEWEST_IMAGES,
        TrainingSession.MOST_EVALUATED_IMAGES);
    Duration limit = limit();
    if (resume != null) {
      return resume(limit);
    }
    double minutes = training.minutes();
    Path path =
        Objects.requireNonNullElseGet(
            run,
            () ->
                RUNS.resolve(
                    EnumConverter.spelling(data.chosen())
                        + "-"
                        + LocalDateTime.now(ZoneId.systemDefault()).format(TIME)));
    requireNew(path);
    data.requireOutside(path, "--run");
    if (!dryRun) {
      Folders.requireWritable(path);
    }
    Path first = training.distillation().place().orElse(from);
    if (first == null) {
      return begin(path, limit, Optional.empty(), Optional.empty(), minutes, begun);
    }
    NamedModel model = NamedModel.find(first, place, console);
    Optional<NamedModel> teacher = training.distillation().place().map(named -> model);
    try (StartingNetwork start = StartingNetwork.read(model)) {
      return begin(path, limit, Optional.of(start), teacher, minutes, begun);
    }
  }

  private boolean isGiven(String option) {
    return spec.commandLine().getParseResult().hasMatchedOption(option);
  }

  private int begin(
      Path path,
      Duration limit,
      Optional<StartingNetwork> start,
      Optional<NamedModel> teacherModel,
      double minutes,
      long begun)
      throws IOException {
    TrainingData images =
        data.load(training.validationImages(), start.flatMap(StartingNetwork::normalization));
    DataOptions.noteSkipped(console, "train", images.loaded());
    HorizontalFlip flip = data.chosen().usualFlip();
    Execution machine = execution.trainingExecution(console);
    Optional<DiffusionModel> teacher =
        teacherModel.isEmpty()
            ? Optional.empty()
            : Optional.of(
                DistillationOptions.read(teacherModel.get(), machine, images.images().shape()));
    try {
      teacher.ifPresent(
          model -> DistillationOptions.requireFit(model, images, training.isClassConditional()));
      Beginnings beginnings = new Beginnings(start, teacher);
      if (training.steps().isPresent()) {
        RunConfig config = config(images, flip, training.steps().get(), start);
        return train(path, config, images, beginnings, machine, limit);
      }
      RunConfig probe = config(images, flip, TrainingPlan.PROBE_STEPS, start);
      TrainingPlan.Evaluation evaluation = evaluation(probe, images);
      TrainingPlan plan;
      try (TrainingSession thrownAway =
          new TrainingSession(console, probe, images, beginnings, machine)) {
        plan =
            TrainingPlan.measure(
                console,
                thrownAway,
                Duration.ofMillis(Math.round(minutes * 60_000)),
                begun,
                evaluation);
      }
      Duration hard = plan.limit().compareTo(limit) < 0 ? plan.limit() : limit;
      RunConfig config = config(images, flip, plan.steps(), start);
      return train(path, config, images, beginnings, machine, hard);
    } finally {
      teacher.ifPresent(DiffusionModel::close);
    }
  }

  private RunConfig config(
      TrainingData images, HorizontalFlip flip, long steps, Optional<StartingNetwork> start)
      throws IOException {
    RunConfig config = training.config(images, flip, steps, start, this::isGiven);
    return config.withTraining(
        config
            .training()
            .orElseThrow()
            .withSampleSteps(
                SamplerOptions.steps(
                    sampleSteps,
                    usualSampler(config.model()),
                    config.model().schedule().timesteps())));
  }

  private int train(
      Path path,
      RunConfig config,
      TrainingData images,
      Beginnings beginnings,
      Execution machine,
      Duration limit)
      throws IOException {
    beginnings.start().ifPresent(trained -> trained.note(console, config.model()));
    try (TrainingSession session = session(config, images, beginnings, machine)) {
      if (dryRun) {
        console.printText(config.toJson() + "\n");
        return 0;
      }
      return finish(FolderTraining.begin(session, path, limit));
    }
  }

  private int resume(Duration limit) throws IOException {
    RunFolder folder = RunFolder.open(resume);
    RunConfig config = changed(folder.readConfigToResume());
    if (!dryRun) {
      Folders.requireWritable(resume);
    }
    TrainingData images = data.loadAgain(config);
    if (!images.description().fingerprint().equals(config.data().fingerprint())) {
      throw new BadInputException(
          "The run %s was trained on other images (%s) than those found now (%s); resume it with the same --data.",
          resume, config.data().source(), images.description().source());
    }
    DataOptions.noteSkipped(console, "train", images.loaded());
    Execution machine = execution.trainingExecution(console);
    Optional<DiffusionModel> teacher =
        config.model().parameterization() == Parameterization.CONSISTENCY
            ? Optional.of(
                DistillationOptions.readRun(resume.resolve(DistillationOptions.TEACHER), machine))
            : Optional.empty();
    Beginnings beginnings = new Beginnings(Optional.empty(), teacher);
    try (TrainingSession session = session(config, images, beginnings, machine)) {
      if (dryRun) {
        session.noteAnotherEnd(folder.readConfig());
        console.printText(config.toJson() + "\n");
        return 0;
      }
      return finish(FolderTraining.resume(session, folder, limit));
    } finally {
      teacher.ifPresent(DiffusionModel::close);
    }
  }

  /** The run's configuration with another end, and with what runs of before did not keep. */
  private RunConfig changed(RunConfig config) {
    TrainingDescription own = config.training().orElseThrow();
    int timesteps = config.model().schedule().timesteps();
    int steps =
        own.sampleSteps()
            .orElseGet(
                () -> SamplerOptions.steps(sampleSteps, usualSampler(config.model()), timesteps));
    if (sampleSteps != null && sampleSteps != steps) {
      throw new BadInputException(
          "The run %s draws its samples in %d step(s), so that --sample-steps %d would make others; leave it out.",
          resume, steps, sampleSteps);
    }
    TrainingDescription drawing = own.withSampleSteps(steps);
    return config.withTraining(
        training
            .steps()
            .map(length -> BadInputException.check(() -> drawing.extendedTo(length)))
            .orElse(drawing));
  }

  private TrainingSession session(
      RunConfig config, TrainingData images, Beginnings beginnings, Execution machine)
      throws IOException {
    TrainingSession session = new TrainingSession(console, config, images, beginnings, machine);
    if (evaluateEvery != null && !dryRun) {
      try {
        session.measureDistances(images.images(), evaluateEvery, evaluateImages, cache.folder());
      } catch (IOException | RuntimeException e) {
        session.close();
        throw e;
      }
    }
    return session;
  }

  /**
   * What measuring distances takes here; the features of the real images are made first, and kept.
   */
  private TrainingPlan.Evaluation evaluation(RunConfig config, TrainingData images)
      throws IOException {
    if (evaluateEvery == null || dryRun) {
      return TrainingPlan.Evaluation.NONE;
    }
    ImageShape shape = images.images().shape();
    INDArray noise =
        NoiseSource.seeded(0, 0)
            .gaussian(0, evaluateImages, shape.channels(), shape.height(), shape.width());
    try (DistanceMeter meter = TrainingSession.meter(console, images.images(), cache.folder())) {
      long start = System.nanoTime();
      meter.measure(noise, Normalization.SYMMETRIC, null);
      double seconds = (System.nanoTime() - start) / 1e9;
      return new TrainingPlan.Evaluation(
          evaluateEvery, evaluateImages, TrainingSession.evaluationSteps(config.model()), seconds);
    }
  }

  private static SamplerType usualSampler(ModelDescription model) {
    return DefaultSampler.typeFor(model.parameterization(), model.network());
  }

  private Duration limit() {
    double minutes = Objects.requireNonNullElse(timeLimit, 0.0);
    if (!(minutes >= 0 && minutes <= Integer.MAX_VALUE)) {
      throw new BadInputException(
          "The time limit is %s minutes; it must be from 0, which means none, to %d.",
          timeLimit, Integer.MAX_VALUE);
    }
    return minutes == 0 ? FolderTraining.NO_LIMIT : Duration.ofMillis((long) (minutes * 60_000));
  }

  private static void requireNew(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    if (!Files.isDirectory(path)) {
      throw new BadInputException(
          "%s is a file where the run's folder should be; choose another one by --run.", path);
    }
    if (NewFolder.isUnused(path)) {
      return;
    }
    if (Files.notExists(new RunFolder(path).configFile())) {
      throw new BadInputException(
          "The folder %s is not empty and holds no run (it has no config.json), as where a training was killed while it began; remove what is in it, or choose a new one by --run.",
          path);
    }
    throw new BadInputException(
        "The folder %s is not empty, and a run never overwrites another; go on with it by --resume %s or choose a new one by --run.",
        path, path);
  }

  private static int finish(FolderTraining.End end) {
    return end == FolderTraining.End.INTERRUPTED ? Interruption.EXIT_CODE : 0;
  }
}
