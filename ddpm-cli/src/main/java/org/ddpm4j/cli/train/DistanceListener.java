package org.ddpm4j.cli.train;

import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.ddpm4j.cli.distances.DistanceMeter;
import org.ddpm4j.cli.report.DistanceTable;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.diffusion.training.Trainer;
import org.ddpm4j.diffusion.training.TrainingListener;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Measures every so many steps, and after the last one, how far samples are from real images.
 *
 * @param meter that measures
 * @param table where the figures go
 * @param model whose weights are being trained
 * @param pipeline draws the samples
 * @param every steps between two measurements, at least 1
 * @param images that are drawn
 * @param seed of their noise
 * @param interrupted whether the program is being ended
 */
record DistanceListener(
    DistanceMeter meter,
    DistanceTable table,
    DiffusionModel model,
    DiffusionPipeline pipeline,
    long every,
    int images,
    long seed,
    BooleanSupplier interrupted)
    implements TrainingListener {

  @Override
  public void onStep(Trainer trainer, StepReport report) throws IOException {
    if (report.step() % every != 0 && !report.isLast() || interrupted.getAsBoolean()) {
      return;
    }
    measure(trainer);
  }

  /**
   * Measures what a kill or Ctrl-C left out between a checkpoint and the measurement of its step.
   */
  void catchUp(Trainer trainer, boolean isLast) throws IOException {
    long step = trainer.step();
    if (step == 0 || step % every != 0 && !isLast) {
      return;
    }
    if (table.read().stream().noneMatch(row -> row.step() == step)) {
      measure(trainer);
    } else {
      table.draw();
    }
  }

  private void measure(Trainer trainer) throws IOException {
    trainer.bringHome();
    SamplingOptions options =
        SamplingOptions.defaults().withListener((now, x, x0) -> requireNotInterrupted());
    try (INDArray samples = pipeline.sample(images, seed, options)) {
      table.add(trainer.step(), meter.measure(model, pipeline, samples));
    } catch (CancellationException e) {
      // The training itself ends in good order after this step.
      return;
    }
  }

  private void requireNotInterrupted() {
    if (interrupted.getAsBoolean()) {
      throw new CancellationException("Drawing samples was interrupted.");
    }
  }
}
