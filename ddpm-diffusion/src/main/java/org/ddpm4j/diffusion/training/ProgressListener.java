package org.ddpm4j.diffusion.training;

import java.time.Duration;
import java.util.function.Consumer;
import org.ddpm4j.io.Text;

/** Says a line at every report: loss, speed, and how long it will take. */
public final class ProgressListener implements TrainingListener {

  private final Consumer<String> out;
  private final long startNanos = System.nanoTime();
  private long images;
  private long stepsSeen;

  /**
   * A listener whose clock starts now.
   *
   * @param out takes the lines, for example {@code System.out::println}
   */
  public ProgressListener(Consumer<String> out) {
    this.out = out;
  }

  @Override
  public void onStep(Trainer trainer, StepReport report) {
    images += report.images();
    stepsSeen++;
    LossHistory.Entry window = report.window();
    if (window == null) {
      return;
    }
    double seconds = (System.nanoTime() - startNanos) / 1e9;
    Duration left =
        Duration.ofSeconds(Math.round(seconds / stepsSeen * (report.steps() - report.step())));
    String validation =
        Double.isNaN(window.validationLoss())
            ? ""
            : Text.format(", validation %.4f", window.validationLoss());
    out.accept(
        Text.format(
            "step %d of %d: loss %.4f%s, %s images/s, %d:%02d:%02d left",
            report.step(),
            report.steps(),
            window.loss(),
            validation,
            Text.rate(images / seconds),
            left.toHours(),
            left.toMinutesPart(),
            left.toSecondsPart()));
  }
}
