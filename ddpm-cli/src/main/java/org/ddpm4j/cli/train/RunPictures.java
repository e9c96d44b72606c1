package org.ddpm4j.cli.train;

import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import org.ddpm4j.cli.options.Defaults;
import org.ddpm4j.cli.report.RunFiles;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Interruption;
import org.ddpm4j.cli.terminal.Progress;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.diffusion.pipeline.SamplingOptions;
import org.ddpm4j.diffusion.run.TrainingDescription;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Draws what a training shows of itself: its images, a grid of samples from time to time, and more
 * samples at its end.
 *
 * @param console where progress is shown
 * @param training with the seed of the samples, and how often there is a grid
 * @param pipeline draws with the averaged weights as they are
 * @param files where the pictures go
 * @param lock of the folder that they lie in
 * @param interruption which ends the drawing
 */
record RunPictures(
    Console console,
    TrainingDescription training,
    DiffusionPipeline pipeline,
    RunFiles files,
    RunLock lock,
    Interruption interruption) {

  /** Of a grid that is drawn on the way. */
  static final int GRID_IMAGES = 16;

  private static final int TRAINING_IMAGES = 8;
  private static final int SAMPLES = Integer.parseInt(Defaults.SAMPLE_COUNT);

  /** Whether there is a grid of a step. */
  boolean isGridDue(long step) {
    return step % training.sampleEvery() == 0;
  }

  /** Shows some of the images that are trained on. */
  void writeTrainingImages(ImageDataSet images) throws IOException {
    int count = Math.min(TRAINING_IMAGES, images.size());
    files.writeTrainingImages(
        images.takeSpread(count).batch(IntStream.range(0, count).toArray()).getFeatures());
  }

  /**
   * Draws a grid with the weights as they are now.
   *
   * @param step which they come from
   * @return false if the drawing was interrupted; the training ends in good order then
   */
  boolean writeGrid(long step) throws IOException {
    try {
      INDArray images =
          pipeline.sample(
              GRID_IMAGES,
              training.config().seed(),
              DiffusionPipeline.DEFAULT_BATCH_SIZE,
              (stepsDone, x, x0) -> requireNotInterrupted());
      lock.requireInPlace(step);
      files.writeGrid(images, step);
      return true;
    } catch (CancellationException e) {
      return false;
    }
  }

  /**
   * Draws the samples of a training that ends for now, the first of which are the grid of its step.
   *
   * @param step that it has come to
   * @return false if the drawing was interrupted; whoever resumes the run draws them
   */
  boolean writeSamples(long step) throws IOException {
    SamplingOptions options =
        SamplingOptions.defaults().withListener((now, x, x0) -> requireNotInterrupted());
    try {
      INDArray images =
          Progress.ofSampling(
              console,
              pipeline,
              SAMPLES,
              options,
              reporting -> pipeline.sample(SAMPLES, training.config().seed(), reporting));
      lock.requireInPlace(step);
      files.writeGrid(images.get(NDArrayIndex.interval(0, GRID_IMAGES)), step);
      files.writeSamples(images);
      return true;
    } catch (CancellationException e) {
      return false;
    }
  }

  private void requireNotInterrupted() {
    if (interruption.isRequested()) {
      throw new CancellationException("Drawing samples was interrupted.");
    }
  }
}
