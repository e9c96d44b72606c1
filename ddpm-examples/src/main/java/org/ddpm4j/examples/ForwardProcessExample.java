package org.ddpm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.Split;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.plots.PictureTable;
import org.ddpm4j.schedules.BetaSchedule;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Shows how images become noise: {@code x_t = √ᾱ_t x0 + √(1-ᾱ_t) ε} for rising t, under the linear
 * and the cosine schedule. The image stays visible longer under the cosine schedule, which is its
 * point (Nichol and Dhariwal 2021, figure 3).
 */
public final class ForwardProcessExample {

  private static final int TIMESTEPS = 1000;
  private static final int COLUMNS = 11;
  private static final int IMAGES = 2;

  private ForwardProcessExample() {}

  /**
   * Writes {@code forward-process.png}.
   *
   * @param args the folder to write to, by default the current one
   * @throws IOException if the images cannot be read or the picture cannot be written
   */
  public static void main(String[] args) throws IOException {
    Path picture = Arguments.of(args).output().resolve("forward-process.png");
    ImageDataSet clothes = FashionMnist.load(Split.TRAIN);
    System.out.println("Images: " + clothes.source());
    draw(clothes, picture);
    System.out.println("Wrote " + picture);
  }

  static void draw(ImageDataSet clothes, Path picture) throws IOException {
    int[] t = new int[COLUMNS];
    Arrays.setAll(t, i -> i * (TIMESTEPS - 1) / (COLUMNS - 1));
    PictureTable table =
        new PictureTable(
            Arrays.stream(t).mapToObj(each -> each == 0 ? "t = 0" : "" + each).toList());
    addStrips(table, "linear", LinearSchedule.paper(), clothes, t);
    addStrips(table, "cosine", CosineSchedule.paper(), clothes, t);
    Images.writePng(table.draw(), picture);
  }

  /** For each image one row of its noise levels. */
  private static void addStrips(
      PictureTable table, String title, BetaSchedule betas, ImageDataSet clothes, int[] t) {
    ForwardProcess forward = new ForwardProcess(NoiseSchedule.of(betas, TIMESTEPS));
    for (int image = 0; image < IMAGES; image++) {
      int[] sameImage = new int[COLUMNS];
      Arrays.fill(sameImage, image);
      INDArray x0 = clothes.batch(sameImage).getFeatures();
      INDArray eps = NoiseSource.seeded(0, 0).gaussian(image, x0.shape());
      table.row(title, Images.grid(forward.qSample(x0, t, eps), COLUMNS, 2));
    }
  }
}
