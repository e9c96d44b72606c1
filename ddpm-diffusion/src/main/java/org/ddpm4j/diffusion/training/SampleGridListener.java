package org.ddpm4j.diffusion.training;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.pipeline.DiffusionPipeline;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Draws a grid of samples every so many steps and after the last one: {@code step-0000500.png}. The
 * noise is the same each time, so that the pictures show how the network changes.
 *
 * @param pipeline draws the samples, usually with {@link Trainer#emaUnet()}
 * @param folder where the pictures go; made if missing
 * @param count images in a grid, at least 1
 * @param seed of the noise
 * @param every steps between two grids, at least 1
 */
public record SampleGridListener(
    DiffusionPipeline pipeline, Path folder, int count, long seed, long every)
    implements TrainingListener {

  private static final int SCALE = 2;

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a number is less than 1
   */
  public SampleGridListener {
    Objects.requireNonNull(pipeline, "pipeline");
    Objects.requireNonNull(folder, "folder");
    Ranges.require(count >= 1, "number of images in a grid", count, "it must be at least 1");
    Ranges.require(every >= 1, "number of steps between grids", every, "it must be at least 1");
  }

  @Override
  public void onStep(Trainer trainer, StepReport report) throws IOException {
    if (report.step() % every == 0 || report.isLast()) {
      trainer.bringHome();
      try (INDArray images = pipeline.sample(count, seed)) {
        write(images, pipeline.normalization(), folder, report.step());
      }
    }
  }

  /**
   * Writes a grid of samples as they are after a step.
   *
   * @param images {@code [N,C,H,W]} with C of 1 (grey) or 3 (red, green, blue)
   * @param normalization how their values were made of pixels
   * @param folder where the picture goes; made if missing
   * @param step of the training
   * @throws IOException if it cannot be written
   */
  public static void write(INDArray images, Normalization normalization, Path folder, long step)
      throws IOException {
    Objects.requireNonNull(images, "images");
    Objects.requireNonNull(normalization, "normalization");
    Folders.create(folder);
    Images.writePng(
        Images.grid(images, Images.squareColumns((int) images.size(0)), SCALE, normalization),
        file(folder, step));
  }

  /**
   * Where the grid of a step goes.
   *
   * @param folder of all grids
   * @param step of the training
   * @return the picture's file
   */
  public static Path file(Path folder, long step) {
    Objects.requireNonNull(folder, "folder");
    return folder.resolve(Text.format("step-%07d.png", step));
  }
}
