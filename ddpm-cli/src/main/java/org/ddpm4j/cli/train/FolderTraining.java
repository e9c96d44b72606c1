package org.ddpm4j.cli.train;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.DataOptions;
import org.ddpm4j.cli.report.RunFiles;
import org.ddpm4j.cli.report.Sitting;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Interruption;
import org.ddpm4j.cli.terminal.Progress;
import org.ddpm4j.diffusion.NotFiniteException;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.diffusion.run.TrainingDescription;
import org.ddpm4j.diffusion.training.Checkpoint;
import org.ddpm4j.diffusion.training.CheckpointListener;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingDivergedException;
import org.ddpm4j.diffusion.training.TrainingListener.StepReport;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.plan.DeviceMemoryException;
import org.ddpm4j.plots.PlotFont;
import org.ddpm4j.unet.UnetFolder;

/**
 * A training in its run's folder, which it has for itself: from its beginning or its newest
 * checkpoint to its end for now.
 */
final class FolderTraining {

  /** As long as it takes. */
  static final Duration NO_LIMIT = Duration.ofNanos(Long.MAX_VALUE);

  /** Why training ended. */
  enum End {
    LAST_STEP,
    TIME_LIMIT,
    INTERRUPTED
  }

  private final Console console;
  private final TrainingSession session;
  private final RunConfig config;
  private final TrainingDescription training;
  private final Trainer trainer;
  private final RunFolder folder;
  private final RunFiles files;
  private final Duration limit;
  private final RunLock lock;
  private final Interruption interruption;
  private final RunPictures pictures;

  private FirstFiles firstFiles = FirstFiles.NONE;

  /** Whether this sitting has made the run. */
  private boolean isNew;

  /** When this sitting was begun, and at which step; set before the first. */
  private long startNanos;

  private long begun;

  private FolderTraining(
      TrainingSession session,
      RunFolder folder,
      Duration limit,
      RunLock lock,
      Interruption interruption) {
    this.session = session;
    this.folder = folder;
    this.limit = limit;
    this.lock = lock;
    this.interruption = interruption;
    console = session.console();
    config = session.config();
    training = session.training();
    trainer = session.trainer();
    files = new RunFiles(folder, config);
    pictures = new RunPictures(console, training, session.pipeline(), files, lock, interruption);
  }

  /**
   * Trains a new run. Where that fails before the first step is done, or diverges before anything
   * of it was saved, no folder is left.
   *
   * @param session that trains
   * @param path of the folder, which is made
   * @param limit after which it stops
   */
  static End begin(TrainingSession session, Path path, Duration limit) throws IOException {
    RunConfig config = session.config();
    int heldOut = config.data().validationImages();
    int images = config.data().trainingImages();
    String source = config.data().source();
    session
        .console()
        .note(
            "train: %s; %s of %s, %s held out",
            source,
            DataOptions.saysCount(images, source) ? "images" : Text.count(images, "image"),
            config.model().shape(),
            heldOut == 0 ? "none" : heldOut);
    List<Path> made = Folders.create(path);
    try {
      return alone(session, new RunFolder(path), limit, FolderTraining::begin);
    } catch (IOException | RuntimeException | Error e) {
      Folders.removeEmpty(made);
      throw e;
    }
  }

  /**
   * Goes on with a run, whose configuration may have been changed.
   *
   * @param session that trains
   * @param folder of the run
   * @param limit after which it stops
   */
  static End resume(TrainingSession session, RunFolder folder, Duration limit) throws IOException {
    return alone(session, folder, limit, FolderTraining::resume);
  }

  private interface Work {
    End run(FolderTraining training) throws IOException;
  }

  /**
   * The virtual machine waits for the interruption's end alone, so that the lock's file is left
   * behind unless it is removed before.
   */
  private static End alone(TrainingSession session, RunFolder folder, Duration limit, Work work)
      throws IOException {
    try (Interruption interruption = new Interruption(session.trainer()::requestStop);
        RunLock lock = RunLock.take(folder.path())) {
      FolderTraining training = new FolderTraining(session, folder, limit, lock, interruption);
      try {
        return work.run(training);
      } catch (IOException e) {
        // The folder may have gone between a look at it and the writing.
        training.requireInPlace();
        training.cleanUp(e);
        throw e;
      } catch (NotFiniteException e) {
        training.cleanUp(e);
        throw e.withWeightsOf(session.trainer().step());
      } catch (RuntimeException | Error e) {
        training.cleanUp(e);
        throw e;
      }
    }
  }

  private void cleanUp(Throwable why) {
    try {
      if (!lock.isInPlace()) {
        return;
      }
      if (isNew && trainer.step() == 0) {
        firstFiles.remove();
      } else if (why instanceof TrainingDivergedException || why instanceof NotFiniteException) {
        cleanUpDiverged();
      }
    } catch (IOException e) {
      why.addSuppressed(e);
    }
  }

  /**
   * The same training diverges, or draws what is not finite, at the same step whenever it is begun.
   * A folder that holds no step of it would only be in the way of the one with a lower learning
   * rate.
   */
  private void cleanUpDiverged() throws IOException {
    if (firstFiles.areAllOf(folder.path())) {
      firstFiles.remove();
      console.note(
          "train: nothing was saved before step %d, so that the folder %s is free for another run",
          trainer.step() + 1, folder.path());
      return;
    }
    Optional<Path> saved = folder.checkpoints().latest();
    console.note(
        "train: the run %s keeps what was saved before step %d, where --resume would come again; begin another by --run%s",
        folder.path(),
        trainer.step() + 1,
        saved.isEmpty()
            ? ""
            : Text.format(
                ", with its network as it is in %s by --from", saved.get().getFileName()));
  }

  private void requireInPlace() throws IOException {
    lock.requireInPlace(trainer.step());
  }

  private End begin() throws IOException {
    // Another process may have begun here, and ended: what it has left is its own.
    RunFolder.requireNew(folder.path());
    folder.removeUnfinished();
    try {
      writeBeginning();
    } finally {
      isNew = true;
      firstFiles = firstFiles();
    }
    return run();
  }

  private FirstFiles firstFiles() throws IOException {
    return FirstFiles.of(
        List.of(folder.configFile(), ProgressFile.file(folder), files.trainingImages()),
        List.of(folder.path().resolve(DistillationOptions.TEACHER), folder.checkpoints().path()));
  }

  private void writeBeginning() throws IOException {
    if (session.teacher().isPresent()) {
      session.teacher().get().save(folder.path().resolve(DistillationOptions.TEACHER));
    }
    if (training.initialWeights().isPresent()) {
      // They may be gone when the run is resumed.
      save();
    }
    // Last, so that a folder is a run only when one can go on with it.
    folder.writeConfig(config);
  }

  private End resume() throws IOException {
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
    if (trainer.step() == 0) {
      firstFiles = firstFiles();
    }
    RunConfig before = folder.readConfig();
    if (!before.equals(config)) {
      session.noteAnotherEnd(before);
      folder.writeConfig(config);
    }
    console.note("train: going on from step %d of %d", trainer.step(), training.config().steps());
    return run();
  }

  private End run() throws IOException {
    begun = trainer.step();
    startNanos = System.nanoTime();
    PlotFont.obstacle()
        .ifPresent(obstacle -> console.note("train: loss.png is left out: " + obstacle));
    try {
      return trainAndFinish();
    } catch (DeviceMemoryException e) {
      if (trainer.step() > begun) {
        keep(trainer::checkpoint, ", on the processor by --device cpu", e);
      }
      throw e;
    } catch (OutOfMemoryError e) {
      // Of a gradient, or of pictures that are drawn on the way; the update itself takes none.
      if (trainer.step() > begun) {
        keep(session::lastState, " with more memory", e);
      }
      throw e;
    }
  }

  /** Saves the last whole step, if the device still answers and there is memory for that. */
  private void keep(Supplier<Checkpoint> state, String how, Throwable why) {
    try {
      requireInPlace();
      save(state.get());
      console.note("train: saved at step %d; go on by %s%s", trainer.step(), resuming(), how);
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

  private void save() throws IOException {
    save(trainer.checkpoint());
  }

  private void save(Checkpoint state) throws IOException {
    folder.checkpoints().write(state, training.checkpointEvery());
  }

  private String resuming() {
    return "'" + session.data().resumingCommand(folder.path()) + "'";
  }

  private End trainAndFinish() throws IOException {
    pictures.writeTrainingImages(session.data().images());
    session.validation().ifPresent(trainer::withValidation);
    catchUp();
    train();
    boolean complete = trainer.step() == training.config().steps();
    requireInPlace();
    // Where there was no step to do, the report of the last one may have been owed.
    if (!complete || trainer.step() == begun) {
      save();
    }
    updateFiles();
    // A program that is being ended should do what only it can do, and go.
    if (!interruption.isRequested()) {
      if (!complete) {
        console.note(
            "train: the time limit ends training at step %d of %d; go on by %s",
            trainer.step(), training.config().steps(), resuming());
      }
      finish();
    }
    if (interruption.isRequested()) {
      console.note("train: interrupted, saved at step %d; go on by %s", trainer.step(), resuming());
      return End.INTERRUPTED;
    }
    console.printLine(folder.path().toString());
    console.printLine(files.report().toString());
    return complete ? End.LAST_STEP : End.TIME_LIMIT;
  }

  /** Draws and measures what a kill or Ctrl-C left out behind the checkpoint of its step. */
  private void catchUp() throws IOException {
    boolean isGridOwed =
        begun > 0 && begun < training.config().steps() && pictures.isGridDue(begun);
    if (isGridOwed && !files.hasGrid(begun)) {
      writeGrid();
    }
    Optional<DistanceListener> distances = distances();
    if (distances.isPresent()) {
      distances.get().catchUp(trainer, begun == training.config().steps());
    }
  }

  private Optional<DistanceListener> distances() {
    return session.distances(files.distances(), interruption::isRequested);
  }

  private void train() throws IOException {
    long start = System.nanoTime();
    try (Progress progress =
            new Progress(console, "train", "steps", trainer.step(), training.config().steps());
        ProgressFile progressFile =
            new ProgressFile(console, files, trainer.step(), training.config().steps(), limit)) {
      trainer
          .withListener((running, report) -> requireInPlaceForFiles(report))
          .withListener(progressFile)
          .withListener(new CheckpointListener(folder.checkpoints(), training.checkpointEvery()))
          .withListener(new LossProgress(progress));
      distances().ifPresent(trainer::withListener);
      trainer.withListener(
          (running, report) -> {
            if (pictures.isGridDue(report.step()) && !report.isLast()) {
              writeGrid();
            }
            if (System.nanoTime() - start >= limit.toNanos()) {
              running.requestStop();
            }
          });
      trainer.fit();
    }
  }

  /** A folder that has gone is missed before anything is written there. */
  private void requireInPlaceForFiles(StepReport report) throws IOException {
    boolean isCheckpointDue = report.step() % training.checkpointEvery() == 0 || report.isLast();
    if (isCheckpointDue || session.isMeasured(report.step()) || pictures.isGridDue(report.step())) {
      requireInPlace();
    }
  }

  private void writeGrid() throws IOException {
    trainer.bringHome();
    if (pictures.writeGrid(trainer.step())) {
      updateFiles();
    }
  }

  private void finish() throws IOException {
    UnetFolder.write(folder.unet(), trainer.emaUnet());
    if (pictures.writeSamples(trainer.step())) {
      updateFiles();
    }
  }

  private void updateFiles() throws IOException {
    long steps = trainer.step() - begun;
    files.update(
        trainer,
        new Sitting(
            begun,
            steps,
            steps * session.batchSize() * training.config().accumulate(),
            Duration.ofNanos(System.nanoTime() - startNanos),
            session.machine()));
  }
}
