package org.ddpm4j.examples;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.config.SamplerType;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.model.DiffusionModel;
import org.ddpm4j.unet.UnetFolder;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Draws clothes with the model of {@link TrainFashionMnistExample} (Ho et al. 2020, algorithm 2),
 * as a picture and as an animation of how noise becomes clothes.
 */
public final class SampleFashionMnistExample {

  private static final int COUNT = 16;
  private static final int STEPS = 50;
  private static final int SEED = 7;

  private SampleFashionMnistExample() {}

  /**
   * Writes {@code samples.png} and {@code samples.gif}.
   *
   * @param args the folder of the model, and the folder to write to, by default the current one
   * @throws IOException if the model cannot be read or the pictures cannot be written
   */
  public static void main(String[] args) throws IOException {
    Arguments arguments = Arguments.of(args);
    Path folder = arguments.model().orElse(Path.of(TrainFashionMnistExample.DEFAULT_FOLDER));
    draw(folder, arguments.output());
  }

  static void draw(Path folder, Path output) throws IOException {
    List<BufferedImage> frames = new ArrayList<>();
    try (DiffusionModel model =
        DiffusionModel.of(
            UnetFolder.read(folder, DataType.FLOAT),
            TrainFashionMnistExample.SCHEDULE,
            new ImageShape(1, 28, 28))) {
      // 50 of the 1000 timesteps; estimates of x0 are kept in the range of the training images.
      INDArray images =
          model
              .pipeline(SamplerType.DDPM, STEPS)
              .sample(COUNT, SEED, COUNT, (stepsDone, x, x0) -> frames.add(Images.grid(x, 4, 3)));
      Images.writePng(Images.grid(images, 4, 3), output.resolve("samples.png"));
    }
    Images.writeGif(frames, 80, output.resolve("samples.gif"));
    System.out.println("Wrote samples.png and samples.gif into " + output.toAbsolutePath());
  }
}
