package org.ddpm4j.cli.terminal;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.pipeline.SamplingListener;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How far a task is: a bar on a terminal, a line now and then elsewhere, and nothing at all for a
 * task that is done within two seconds.
 */
public final class Progress implements AutoCloseable {

  private static final Duration QUIET = Duration.ofSeconds(2);
  private static final Duration BETWEEN_LINES = Duration.ofSeconds(5);
  private static final int BAR_UPDATE_MILLIS = 250;

  private final Console console;
  private final String task;
  private final String unit;
  private final long first;
  private final long total;
  private final LongSupplier nanoTime;
  private final long startNanos;

  private long done;
  private String detail = "";
  private ProgressBar bar;
  private long lastLineNanos;
  private long lastLineDone = -1;

  /**
   * A task that begins.
   *
   * @param console where to show it
   * @param task its name
   * @param unit of what is counted, in the plural
   * @param first what had been done before
   * @param total what there is to do, that included
   */
  public Progress(Console console, String task, String unit, long first, long total) {
    this(console, task, unit, first, total, System::nanoTime);
  }

  /** With a clock of tests' own. */
  Progress(
      Console console, String task, String unit, long first, long total, LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.startNanos = nanoTime.getAsLong();
    this.console = console;
    this.task = task;
    this.unit = unit;
    this.first = first;
    this.total = total;
    this.done = first;
  }

  /**
   * Tells what has been done.
   *
   * @param nowDone up to the total
   * @param nowDetail what else to show, may be empty
   */
  public void update(long nowDone, String nowDetail) {
    done = nowDone;
    detail = nowDetail;
    Duration elapsed = elapsed();
    if (elapsed.compareTo(QUIET) < 0) {
      return;
    }
    if (console.terminalColumns().isPresent()) {
      updateBar(elapsed);
    } else if (lastLineDone < 0 || sinceLastLine().compareTo(BETWEEN_LINES) >= 0) {
      printLine(elapsed);
    }
  }

  private Duration elapsed() {
    return Duration.ofNanos(nanoTime.getAsLong() - startNanos);
  }

  private Duration sinceLastLine() {
    return Duration.ofNanos(nanoTime.getAsLong() - lastLineNanos);
  }

  private void updateBar(Duration elapsed) {
    if (bar == null) {
      bar =
          new ProgressBarBuilder()
              .setTaskName(task)
              .setInitialMax(total)
              .startsFrom(first, elapsed)
              .setStyle(ProgressBarStyle.UNICODE_BLOCK)
              .setUpdateIntervalMillis(BAR_UPDATE_MILLIS)
              .setEtaFunction(state -> Optional.of(remaining()))
              .setConsumer(new TerminalLine(console))
              .build();
    }
    bar.stepTo(done);
    bar.setExtraMessage(" " + detail);
  }

  private Duration remaining() {
    double rate = rate();
    return rate > 0 ? Duration.ofMillis((long) ((total - done) / rate * 1000)) : Duration.ZERO;
  }

  /** Units per second. */
  private double rate() {
    return (done - first) / Math.max(1e-9, elapsed().toNanos() / 1e9);
  }

  private void printLine(Duration elapsed) {
    lastLineNanos = nanoTime.getAsLong();
    lastLineDone = done;
    console.note(
        "%s: %d/%d %s, %.2f/s, %s, ETA %s%s",
        task,
        done,
        total,
        unit,
        rate(),
        clock(elapsed),
        clock(remaining()),
        detail.isEmpty() ? "" : ", " + detail);
  }

  private static String clock(Duration duration) {
    return Text.format(
        "%d:%02d:%02d", duration.toHours(), duration.toMinutesPart(), duration.toSecondsPart());
  }

  /** Leaves the last state on the screen if there was any. */
  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    } else if (lastLineDone >= 0 && lastLineDone != done) {
      printLine(elapsed());
    }
  }

  /** One line of a terminal, written again and again. */
  private record TerminalLine(Console console) implements ProgressBarConsumer {

    @Override
    public int getMaxRenderedLength() {
      // The last column stays free: some terminals wrap as soon as it is written.
      return console.terminalColumns().orElseThrow() - 1;
    }

    @Override
    public void accept(String line) {
      console.err().print("\r" + line);
    }

    @Override
    public void close() {
      console.err().println();
    }
  }

  /**
   * Draws images while the console shows how far it is.
   *
   * @param console that shows it
   * @param pipeline that draws
   * @param count of images
   * @param options how to go about it
   * @param draw draws with options that report
   * @return what was drawn
   */
  public static INDArray ofSampling(
      Console console,
      DiffusionPipeline pipeline,
      int count,
      SamplingOptions options,
      Function<SamplingOptions, INDArray> draw) {
    long batches = (count + options.batchSize() - 1L) / options.batchSize();
    long all = batches * pipeline.sampler().steps();
    try (Progress progress = new Progress(console, "sample", "steps", 0, all)) {
      long[] done = {0};
      SamplingListener listener =
          options.listener().and((now, x, x0) -> progress.update(++done[0], ""));
      return draw.apply(options.withListener(listener));
    }
  }
}
