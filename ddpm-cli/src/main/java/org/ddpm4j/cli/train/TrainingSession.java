package org.ddpm4j.cli.train;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.ddpm4j.cli.distances.DistanceMeter;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.DataOptions;
import org.ddpm4j.cli.options.Defaults;
import org.ddpm4j.cli.options.TrainingData;
import org.ddpm4j.cli.report.RunFiles;
import org.ddpm4j.cli.report.Sitting;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Interruption;
import org.ddpm4j.cli.terminal.Progress;
import org.ddpm4j.data.BatchOptions;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.ImageDataSetIterator;
import org.ddpm4j.data.PrefetchingIterator;
import org.ddpm4j.diffusion.bound.DiscretizedGaussian;
import org.ddpm4j.diffusion.model.DefaultSampler;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.objective.Objective;
import org.ddpm4j.diffusion.objective.ObjectiveConfig;
import org.ddpm4j.diffusion.objective.Teacher;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.diffusion.run.ModelDescription;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.diffusion.run.TrainingDescription;
import org.ddpm4j.diffusion.training.CheckpointListener;
import org.ddpm4j.diffusion.training.LearningRateSchedule;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingListener;
import org.ddpm4j.evaluation.ClassifierFeatures;
import org.ddpm4j.io.FolderLock;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.plan.DeviceMemoryException;
import org.ddpm4j.plots.PlotFont;
import org.ddpm4j.schedules.NoiseSchedule;
import org.ddpm4j.unet.Execution;
import org.ddpm4j.unet.Unet;
import org.ddpm4j.unet.UnetFolder;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** One sitting of a training: from its beginning or its newest checkpoint to its end for now. */
final class TrainingSession implements AutoCloseable {

  /** As long as it takes. */
  static final Duration NO_LIMIT = Duration.ofNanos(Long.MAX_VALUE);

  /** Of a grid that is drawn on the way. */
  static final int GRID_IMAGES = 16;

  /** Of the samples that are measured: enough to see how training goes, and soon done. */
  static final int EVALUATION_STEPS = 20;

  static final int MOST_EVALUATED_IMAGES = 50_000;

  private static final int SHOWN_TRAINING_IMAGES = 8;
  private static final int FINAL_IMAGES = Integer.parseInt(Defaults.SAMPLE_COUNT);

  /** Why training ended. */
  enum End {
    LAST_STEP,
    TIME_LIMIT,
    INTERRUPTED
  }

  private final Console console;
  private final RunConfig config;
  private final TrainingDescription training;
  private final PrefetchingIterator prefetching;
  private final Unet unet;
  private final Trainer trainer;
  private final DiffusionPipeline pipeline;
  private final Optional<DiffusionModel> teacher;
  private final TrainingData data;
  private final Optional<DataSet> validation;
  private final String machine;

  /** When this sitting was begun, and at which step; set before the first. */
  private long startNanos;

  private long begun;
  private final DiffusionModel average;

  /** Null unless distances are measured. */
  private DistanceMeter meter;

  private long measureEvery;
  private int measuredImages;

  /** Of the run's folder, while it is worked in. */
  private FolderLock lock;

  private Beginning beginning = Beginning.NOTHING;

  /**
   * A session whose run folder is not known yet.
   *
   * @param console to report to
   * @param config of the run
   * @param data to train on
   * @param beginnings the trained networks that the training takes
   * @param execution how the network computes
   */
  TrainingSession(
      Console console,
      RunConfig config,
      TrainingData data,
      Beginnings beginnings,
      Execution execution) {
    this.console = console;
    this.config = config;
    this.data = data;
    machine = Sitting.machine(execution);
    training = config.training().orElseThrow();
    TrainingDescription.BatchConfig batches = training.batches();
    requireBatch(batches.batchSize(), data.images().size());
    BatchOptions options =
        BatchOptions.forTraining(batches.batchSize(), batches.shuffleSeed())
            .withFlip(batches.flip())
            .withAugmentation(batches.augmentationOrNone());
    prefetching = new PrefetchingIterator(new ImageDataSetIterator(data.images(), options));
    ModelDescription description = config.model();
    unet =
        Unet.create(
            description.network(), DataType.FLOAT, training.initialWeightsSeed(), execution);
    teacher = beginnings.teacher();
    beginnings.start().ifPresent(trained -> trained.fill(unet, description));
    trainer = trainer(objective(description));
    validation = data.validation();
    average = DiffusionModel.of(trainer.emaUnet(), description);
    pipeline = BadInputException.check(() -> drawing(sampleSteps()));
  }

  private Objective objective(ModelDescription description) {
    ObjectiveConfig wanted = training.config().objective();
    NoiseSchedule schedule = description.schedule().create();
    return BadInputException.check(
        () ->
            teacher.isPresent()
                ? wanted.distillation(
                    schedule,
                    Teacher.of(
                        teacher.get().unet(),
                        teacher.get().parameterization(),
                        teacher.get().schedule()))
                : wanted.create(schedule, DiscretizedGaussian.of(description.normalization())));
  }

  /**
   * Measures from time to time how far samples are from real images.
   *
   * @param real the images to compare them with
   * @param every steps between two measurements
   * @param images that are drawn each time
   * @param cache where features of the real images are kept
   */
  void measureDistances(ImageDataSet real, long every, int images, Path cache) throws IOException {
    meter = meter(console, real, cache);
    measureEvery = every;
    measuredImages = images;
  }

  /** Measures distances from a data set; closed by the caller. */
  static DistanceMeter meter(Console console, ImageDataSet real, Path cache) throws IOException {
    return DistanceMeter.open(
        console,
        ClassifierFeatures.bundled(real.shape().channels(), Execution.automatic()),
        real,
        cache);
  }

  /** Draws with the averaged weights as drawing with the run will, unless it is told otherwise. */
  private DiffusionPipeline drawing(int steps) {
    return average.pipeline(average.defaultSampler().create(average.schedule(), steps));
  }

  private DistanceListener distances(RunFiles files, Interruption interruption) {
    return new DistanceListener(
        meter,
        files.distances(),
        average,
        drawing(evaluationSteps(config.model())),
        measureEvery,
        measuredImages,
        training.config().seed(),
        interruption::isRequested);
  }

  /** Several devices do not train for every objective. */
  private Trainer trainer(Objective objective) {
    return BadInputException.check(
        () -> new Trainer(unet, objective, training.config(), prefetching));
  }

  /** Images of a step. */
  int batchSize() {
    return training.batches().batchSize();
  }

  /** Denoising steps of the pictures. */
  int sampleSteps() {
    return training.sampleSteps().orElseThrow();
  }

  /** Denoising steps of the samples that are measured. */
  static int evaluationSteps(ModelDescription model) {
    return Math.min(
        EVALUATION_STEPS,
        DefaultSampler.steps(
            DefaultSampler.typeFor(model.parameterization(), model.network()),
            model.schedule().timesteps()));
  }

  /** Held-out images, whose loss every report has. */
  long validationImages() {
    return validation.map(held -> held.getFeatures().size(0)).orElse(0L);
  }

  /**
   * How long a step takes. The steps that are done for it are no training of anything: the session
   * is to be closed then.
   *
   * @param seconds to measure, once steps no longer become faster
   * @return seconds of a step
   */
  double secondsPerStep(double seconds) throws IOException {
    StepTimer timer = new StepTimer(seconds, System::nanoTime);
    trainer.withListener(timer).fit();
    return timer.secondsPerStep();
  }

  private static void requireBatch(int batchSize, int images) {
    if (batchSize > images) {
      throw new BadInputException(
          "The batch size is %d, but there are only %d images to train on; give --batch-size %d or less.",
          batchSize, images, images);
    }
  }

  /** Trains a new run. Where that fails before the first step is done, no folder is left. */
  End begin(Path path, Duration limit) throws IOException {
    int heldOut = config.data().validationImages();
    int images = config.data().trainingImages();
    String source = config.data().source();
    console.note(
        "train: %s (%sof %s, %s held out)",
        source,
        DataOptions.saysCount(images, source) ? "" : images + " images ",
        config.model().shape(),
        heldOut == 0 ? "none" : heldOut);
    RunFolder folder = new RunFolder(path);
    List<Path> made = Folders.create(path);
    try {
      return alone(
          folder,
          interruption -> begin(folder, limit, interruption),
          () -> {
            if (trainer.step() == 0) {
              beginning.remove();
            }
          });
    } catch (IOException | RuntimeException | Error e) {
      Folders.removeEmpty(made);
      throw e;
    }
  }

  private End begin(RunFolder folder, Duration limit, Interruption interruption)
      throws IOException {
    // Another process may have begun here, and ended: what it has left is its own.
    RunFolder.requireNew(folder.path());
    folder.removeUnfinished();
    try {
      writeBeginning(folder);
    } finally {
      beginning =
          Beginning.of(
              List.of(
                  folder.configFile(),
                  ProgressFile.file(folder),
                  new RunFiles(folder, config).trainingImages()),
              List.of(
                  folder.path().resolve(DistillationOptions.TEACHER), folder.checkpoints().path()));
    }
    return run(folder, limit, interruption);
  }

  private void writeBeginning(RunFolder folder) throws IOException {
    if (teacher.isPresent()) {
      teacher.get().save(folder.path().resolve(DistillationOptions.TEACHER));
    }
    if (training.initialWeights().isPresent()) {
      // They may be gone when the run is resumed.
      folder.checkpoints().write(trainer.checkpoint(), training.checkpointEvery());
    }
    // Last, so that a folder is a run only when one can go on with it.
    folder.writeConfig(config);
  }

  /**
   * What this session writes into a folder that was free, before the first step is done. Whoever
   * makes the batches smaller, say, may take the same folder.
   *
   * @param files and folders, what is in a folder before it
   */
  private record Beginning(List<Path> files) {

    static final Beginning NOTHING = new Beginning(List.of());

    /** Files that are there or will be, and folders with what is in them now. */
    static Beginning of(List<Path> files, List<Path> folders) throws IOException {
      List<Path> all = new ArrayList<>(files);
      for (Path folder : folders) {
        if (Files.exists(folder)) {
          try (Stream<Path> found = Files.walk(folder)) {
            all.addAll(found.sorted(Comparator.reverseOrder()).toList());
          }
        }
      }
      return new Beginning(List.copyOf(all));
    }

    void remove() throws IOException {
      for (Path file : files) {
        try {
          Files.deleteIfExists(file);
        } catch (DirectoryNotEmptyException e) {
          // Others have put something there since.
          continue;
        }
      }
    }
  }

  /** Goes on with a run, whose configuration may have been changed. */
  End resume(RunFolder folder, Duration limit) throws IOException {
    return alone(folder, interruption -> resumeAlone(folder, limit, interruption), () -> {});
  }

  private interface Cleaning {
    void clean() throws IOException;
  }

  private interface Work {
    End run(Interruption interruption) throws IOException;
  }

  /**
   * Two processes in one folder would remove each other's checkpoints. The virtual machine waits
   * for the interruption's end alone, so that the lock's file is left behind unless it is removed
   * before.
   */
  private End alone(RunFolder folder, Work work, Cleaning afterFailure) throws IOException {
    try (Interruption interruption = new Interruption(trainer::requestStop)) {
      lock =
          FolderLock.tryLock(folder.path())
              .orElseThrow(
                  () ->
                      new BadInputException(
                          "The run %s is in use: another process trains it; wait until that has ended, or stop it.",
                          folder.path()));
      try {
        return work.run(interruption);
      } catch (IOException e) {
        // The folder may have gone between a look at it and the writing.
        requireInPlace(folder);
        cleanUp(afterFailure, e);
        throw e;
      } catch (RuntimeException | Error e) {
        cleanUp(afterFailure, e);
        throw e;
      } finally {
        lock.close();
      }
    }
  }

  private void cleanUp(Cleaning afterFailure, Throwable why) {
    try {
      if (lock.isInPlace()) {
        afterFailure.clean();
      }
    } catch (IOException e) {
      why.addSuppressed(e);
    }
  }

  /** Whoever writes on would begin another folder, of which nobody could make a run. */
  private void requireInPlace(RunFolder folder) throws IOException {
    if (!lock.isInPlace()) {
      throw new IOException(
          Text.format(
              "The run's folder %s was moved, deleted or replaced while it was trained, so that step %d cannot be saved there; go on from the last step that it holds by 'ddpm train --resume DIR' where it is now, or begin a new run.",
              folder.path(), trainer.step()));
    }
  }

  private End resumeAlone(RunFolder folder, Duration limit, Interruption interruption)
      throws IOException {
    folder.removeUnfinished();
    boolean began =
        !folder.checkpoints().all().isEmpty()
            || folder.hasAverageOnly()
            || training.initialWeights().isPresent();
    if (began) {
      trainer.resume(folder.readCheckpointToResume(trainer.unet().parameters()));
    }
    if (trainer.step() > training.config().steps()) {
      throw new BadInputException(
          "The run %s has done %d steps already, which %d would undo; give --steps %d or more.",
          folder.path(), trainer.step(), training.config().steps(), trainer.step());
    }
    RunConfig before = folder.readConfig();
    if (!before.equals(config)) {
      noteAnotherEnd(before);
      folder.writeConfig(config);
    }
    console.note("train: going on from step %d of %d", trainer.step(), training.config().steps());
    return run(folder, limit, interruption);
  }

  /**
   * Says what a run that is to end at another step than before does with its learning rate.
   *
   * @param before the configuration that its folder still has
   */
  void noteAnotherEnd(RunConfig before) {
    long steps = training.config().steps();
    long stepsBefore = before.training().orElseThrow().config().steps();
    if (steps != stepsBefore
        && training.config().learningRate().decay() != LearningRateSchedule.Decay.CONSTANT) {
      console.note(
          "train: the learning rate falls to the new end, step %d, and so goes on %s than it had come to",
          steps, steps > stepsBefore ? "higher" : "lower");
    }
  }

  private End run(RunFolder folder, Duration limit, Interruption interruption) throws IOException {
    begun = trainer.step();
    startNanos = System.nanoTime();
    PlotFont.obstacle()
        .ifPresent(obstacle -> console.note("train: loss.png is left out: " + obstacle));
    try {
      return trainAndFinish(folder, limit, interruption);
    } catch (DeviceMemoryException e) {
      if (trainer.step() > begun) {
        keep(folder, ", on the processor by --device cpu", e);
      }
      throw e;
    } catch (OutOfMemoryError e) {
      // Of a gradient, or of pictures that are drawn on the way; the update itself takes none.
      if (trainer.step() > begun) {
        keep(folder, " with more memory", e);
      }
      throw e;
    }
  }

  /** Saves the last whole step, if the device still answers and there is memory for that. */
  private void keep(RunFolder folder, String how, Throwable why) {
    try {
      requireInPlace(folder);
      folder.checkpoints().write(trainer.checkpoint(), training.checkpointEvery());
      console.note(
          "train: saved at step %d; go on by '%s'%s",
          trainer.step(), data.resumingCommand(folder.path()), how);
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      why.addSuppressed(e);
      console.note(
          "train: step %d could not be saved (%s); what was saved before is still there",
          trainer.step(), words(e));
    }
  }

  /** JavaCPP's words of memory are names of its classes, and bytes. */
  static String words(Throwable e) {
    return e instanceof OutOfMemoryError ? "there is no memory left for it" : e.getMessage();
  }

  private Sitting sitting() {
    long steps = trainer.step() - begun;
    return new Sitting(
        begun,
        steps,
        steps * training.batches().batchSize() * training.config().accumulate(),
        Duration.ofNanos(System.nanoTime() - startNanos),
        machine);
  }

  private End trainAndFinish(RunFolder folder, Duration limit, Interruption interruption)
      throws IOException {
    RunFiles files = new RunFiles(folder, config);
    ImageDataSet images = data.images();
    files.writeTrainingImages(
        images
            .takeSpread(Math.min(SHOWN_TRAINING_IMAGES, images.size()))
            .batch(IntStream.range(0, Math.min(SHOWN_TRAINING_IMAGES, images.size())).toArray())
            .getFeatures());
    validation.ifPresent(trainer::withValidation);
    // Where a kill or Ctrl-C came between a checkpoint and its grid.
    boolean isGridOwed = begun > 0 && begun < training.config().steps() && isGridDue(begun);
    if (isGridOwed && !files.hasGrid(begun)) {
      writeGrid(files, interruption);
    }
    if (meter != null) {
      distances(files, interruption).catchUp(trainer, begun == training.config().steps());
    }
    train(folder, files, limit, interruption);
    boolean complete = trainer.step() == training.config().steps();
    requireInPlace(folder);
    // Where there was no step to do, the report of the last one may have been owed.
    if (!complete || trainer.step() == begun) {
      folder.checkpoints().write(trainer.checkpoint(), training.checkpointEvery());
    }
    files.update(trainer, sitting());
    // A program that is being ended should do what only it can do, and go.
    if (!interruption.isRequested()) {
      if (!complete) {
        console.note(
            "train: the time limit ends training at step %d of %d; go on by '%s'",
            trainer.step(), training.config().steps(), data.resumingCommand(folder.path()));
      }
      finish(folder, files, interruption);
    }
    if (interruption.isRequested()) {
      console.note(
          "train: interrupted, saved at step %d; go on by '%s'",
          trainer.step(), data.resumingCommand(folder.path()));
      return End.INTERRUPTED;
    }
    console.printLine(folder.path().toString());
    console.printLine(files.report().toString());
    return complete ? End.LAST_STEP : End.TIME_LIMIT;
  }

  private void train(RunFolder folder, RunFiles files, Duration limit, Interruption interruption)
      throws IOException {
    long start = System.nanoTime();
    try (Progress progress =
            new Progress(console, "train", "steps", trainer.step(), training.config().steps());
        ProgressFile progressFile =
            new ProgressFile(console, files, trainer.step(), training.config().steps(), limit)) {
      trainer
          .withListener(
              (running, report) -> {
                boolean isCheckpointDue =
                    report.step() % training.checkpointEvery() == 0 || report.isLast();
                boolean isMeasured = meter != null && report.step() % measureEvery == 0;
                if (isCheckpointDue || isMeasured || isGridDue(report.step())) {
                  requireInPlace(folder);
                }
              })
          .withListener(progressFile)
          .withListener(new CheckpointListener(folder.checkpoints(), training.checkpointEvery()))
          .withListener(new ProgressListener(progress));
      if (meter != null) {
        trainer.withListener(distances(files, interruption));
      }
      trainer.withListener(
          (running, report) -> {
            if (isGridDue(report.step()) && !report.isLast()) {
              writeGrid(files, interruption);
            }
            if (System.nanoTime() - start >= limit.toNanos()) {
              running.requestStop();
            }
          });
      trainer.fit();
    }
  }

  private boolean isGridDue(long step) {
    return step % training.sampleEvery() == 0;
  }

  private void writeGrid(RunFiles files, Interruption interruption) throws IOException {
    trainer.bringHome();
    try {
      INDArray images =
          pipeline.sample(
              GRID_IMAGES,
              training.config().seed(),
              DiffusionPipeline.DEFAULT_BATCH_SIZE,
              (stepsDone, x, x0) -> requireNotInterrupted(interruption));
      requireInPlace(files.folder());
      files.writeGrid(images, trainer.step());
      files.update(trainer, sitting());
    } catch (CancellationException e) {
      // The training itself ends in good order after this step.
      return;
    }
  }

  private void finish(RunFolder folder, RunFiles files, Interruption interruption)
      throws IOException {
    UnetFolder.write(folder.unet(), trainer.emaUnet());
    try {
      SamplingOptions options =
          SamplingOptions.defaults()
              .withListener((now, x, x0) -> requireNotInterrupted(interruption));
      INDArray images =
          Progress.ofSampling(
              console,
              pipeline,
              FINAL_IMAGES,
              options,
              reporting -> pipeline.sample(FINAL_IMAGES, training.config().seed(), reporting));
      requireInPlace(folder);
      files.writeGrid(images.get(NDArrayIndex.interval(0, GRID_IMAGES)), trainer.step());
      files.writeSamples(images);
      files.update(trainer, sitting());
    } catch (CancellationException e) {
      // All but the pictures is there; resuming draws them.
      return;
    }
  }

  @Override
  public void close() {
    if (meter != null) {
      meter.close();
    }
    prefetching.close();
    trainer.close();
    unet.close();
  }

  private static void requireNotInterrupted(Interruption interruption) {
    if (interruption.isRequested()) {
      throw new CancellationException("Drawing samples was interrupted.");
    }
  }

  /** Shows loss and speed. */
  private static final class ProgressListener implements TrainingListener {

    private final Progress progress;
    private final long startNanos = System.nanoTime();
    private double loss = Double.NaN;
    private long images;

    ProgressListener(Progress progress) {
      this.progress = progress;
    }

    @Override
    public void onStep(Trainer trainer, StepReport report) {
      images += report.images();
      if (report.window() != null) {
        loss = report.window().loss();
      } else if (Double.isNaN(loss)) {
        loss = report.loss();
      }
      double seconds = (System.nanoTime() - startNanos) / 1e9;
      progress.update(
          report.step(), Text.format("loss %.4f, %s images/s", loss, Text.rate(images / seconds)));
    }
  }
}
