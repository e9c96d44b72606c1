package org.ddpm4j.cli.train;

import org.ddpm4j.cli.terminal.Progress;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingListener;
import org.ddpm4j.io.Text;

/** Shows the loss and the speed beside the bar of a training. */
final class LossProgress implements TrainingListener {

  private final Progress progress;
  private final long startNanos = System.nanoTime();
  private double loss = Double.NaN;
  private long images;

  LossProgress(Progress progress) {
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
