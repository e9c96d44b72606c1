package org.ddpm4j.studio.runs;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Locale;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The folder of a run as a training leaves it on its way. */
public final class RunFixture {

  private RunFixture() {}

  /** A run of the model that comes along, at step 900 of the steps of its configuration. */
  public static Path write(Path folder, long process) throws IOException {
    try (DiffusionModel model = DiffusionModel.bundled()) {
      model.save(folder);
      writeConfig(folder);
      Files.createDirectories(folder.resolve("samples"));
      for (int step : List.of(250, 500, 750)) {
        try (INDArray images = model.pipeline(SamplerType.UNIPC, step / 125).sample(16, 3)) {
          BufferedImage grid = Images.grid(images, 4, 2, model.normalization());
          Images.writePng(
              grid, folder.resolve(String.format(Locale.ROOT, "samples/step-%07d.png", step)));
        }
      }
    }
    writeLosses(folder, 0.03);
    Files.writeString(
        folder.resolve("progress.json"),
        String.format(
            Locale.ROOT,
            "{\"step\": 900, \"steps\": 1500, \"loss\": 0.0321, \"images_per_second\": 412.5,"
                + " \"seconds_left\": 93, \"process\": %d, \"ended\": false}",
            process));
    return folder;
  }

  /** A run that has ended, was measured on its way, and evaluated. */
  public static Path writeEarlier(Path folder) throws IOException {
    try (DiffusionModel model = DiffusionModel.bundled()) {
      model.save(folder);
    }
    writeConfig(folder);
    writeLosses(folder, 0.04);
    Files.writeString(
        folder.resolve("distances.csv"),
        "step,images,frechet_distance,kernel_distance,kernel_distance_error,precision,recall,density,coverage,inception_score\n"
            + "300,1000,120.5,0.2,0.01,0.5,0.4,0.6,0.5,\n600,1000,60.25,0.1,0.01,0.6,0.5,0.7,0.6,\n"
            + "900,1000,41.5,0.05,0.01,0.7,0.6,0.8,0.7,\n");
    Files.writeString(
        folder.resolve("bound.csv"),
        "t,timesteps,bits_per_dim,standard_error,eps_mse,x0_mse\n"
            + "0,1,2.1,0.1,0.9,0.0001\n10,20,0.01,0.001,0.3,0.002\n90,80,0.001,0.0001,0.01,0.2\n");
    return folder;
  }

  private static void writeConfig(Path folder) throws IOException {
    Files.copy(
        Path.of("..", "models", "fashion-mnist", "config.json"),
        folder.resolve("config.json"),
        StandardCopyOption.REPLACE_EXISTING);
  }

  private static void writeLosses(Path folder, double end) throws IOException {
    StringBuilder losses =
        new StringBuilder("step,loss,validation_loss,learning_rate,gradient_norm\n");
    for (int step = 10; step <= 900; step += 10) {
      double loss = end + Math.exp(-step / 60.0) + 0.004 * Math.sin(step);
      losses.append(
          String.format(Locale.ROOT, "%d,%.5f,%.5f,0.002,0.5%n", step, loss, loss + 0.003));
    }
    Files.writeString(folder.resolve("loss.csv"), losses);
  }

  /** As if its process had written just now. */
  public static void touch(Path folder) throws IOException {
    Files.setLastModifiedTime(
        folder.resolve("progress.json"), FileTime.fromMillis(System.currentTimeMillis()));
  }
}
