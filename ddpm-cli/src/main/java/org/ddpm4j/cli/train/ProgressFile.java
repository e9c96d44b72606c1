package org.ddpm4j.cli.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.ddpm4j.cli.report.RunFiles;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingListener;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Text;

/**
 * Tells whoever looks at the run's folder how far its training is: progress.json and, as soon as
 * there are new ones, the losses, every few seconds; a million losses, which take a second, more
 * rarely. Neither is needed to go on, and the losses are written again with each report, so that a
 * disk that is full now does not end a training.
 */
final class ProgressFile implements TrainingListener, AutoCloseable {

  private static final long PAUSE_NANOS = Duration.ofSeconds(2).toNanos();

  /** Of the time that training has, the losses take one part in so many at most. */
  private static final int LEAST_PAUSES = 50;

  private final Console console;
  private final Path file;
  private final RunFiles files;
  private final long steps;
  private final long limitNanos;
  private final long start = System.nanoTime();
  private final long firstStep;
  private long written = start - PAUSE_NANOS;
  private long step;
  private long images;
  private double loss = Double.NaN;
  private boolean hasNewLosses;
  private long lossesDue = start;
  private boolean isWarned;

  /**
   * Nothing written yet.
   *
   * @param console that is told once if nothing can be written
   * @param files of the run
   * @param firstStep steps that were done before
   * @param steps of the whole training
   * @param limit after which it stops
   */
  ProgressFile(Console console, RunFiles files, long firstStep, long steps, Duration limit) {
    this.console = console;
    this.files = files;
    this.firstStep = firstStep;
    this.steps = steps;
    file = file(files.folder());
    limitNanos = limit.toNanos();
    step = firstStep;
  }

  /** Where it lies. */
  static Path file(RunFolder folder) {
    return folder.path().resolve("progress.json");
  }

  @Override
  public void onStep(Trainer trainer, StepReport report) {
    step = report.step();
    images += report.images();
    if (report.window() != null) {
      loss = report.window().loss();
      hasNewLosses = true;
    } else if (Double.isNaN(loss)) {
      loss = report.loss();
    }
    if (System.nanoTime() - written < PAUSE_NANOS || !isInPlace()) {
      return;
    }
    try {
      if (hasNewLosses && System.nanoTime() - lossesDue >= 0) {
        long begun = System.nanoTime();
        files.writeLosses(trainer.history());
        long ended = System.nanoTime();
        lossesDue = ended + pauseAfter(ended - begun);
        hasNewLosses = false;
      }
      write(false);
    } catch (IOException e) {
      warn(e);
    }
    written = System.nanoTime();
  }

  /**
   * How long the losses are left as they are.
   *
   * @param nanos that writing all of them took
   */
  static long pauseAfter(long nanos) {
    return Math.max(PAUSE_NANOS, LEAST_PAUSES * nanos);
  }

  private void warn(IOException e) {
    if (!isWarned && isInPlace()) {
      console.note(
          "train: %s The training goes on, which does not need that file; how far it is cannot be seen from outside meanwhile.",
          e.getMessage());
      isWarned = true;
    }
  }

  /** A folder that was taken away is not for this class to miss, nor to make anew. */
  private boolean isInPlace() {
    return Files.isDirectory(file.getParent());
  }

  private void write(boolean ended) throws IOException {
    double seconds = (System.nanoTime() - start) / 1e9;
    double toLastStep = seconds / Math.max(1, step - firstStep) * (steps - step);
    double toLimit = Math.max(0, limitNanos / 1e9 - seconds);
    AtomicFile.writeString(
        file,
        Text.format(
            "{\"step\": %d, \"steps\": %d, \"loss\": %s, \"images_per_second\": %.1f, \"seconds_left\": %.0f, \"process\": %d, \"started\": %s, \"ended\": %b}\n",
            step,
            steps,
            Double.isFinite(loss) ? Double.toString(loss) : "null",
            images / Math.max(1e-9, seconds),
            Math.min(toLastStep, toLimit),
            ProcessHandle.current().pid(),
            // With it, the number is that of no later process.
            ProcessHandle.current()
                .info()
                .startInstant()
                .map(when -> Long.toString(when.toEpochMilli()))
                .orElse("null"),
            ended));
  }

  /** Says that the training has ended. */
  @Override
  public void close() {
    if (!isInPlace()) {
      return;
    }
    try {
      write(true);
    } catch (IOException e) {
      warn(e);
    }
  }
}
