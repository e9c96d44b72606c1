package org.ddpm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import org.ddpm4j.data.FashionMnist;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.Split;
import org.ddpm4j.diffusion.ForwardProcess;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.random.NoiseSource;
import org.ddpm4j.schedules.CosineSchedule;
import org.ddpm4j.schedules.LinearSchedule;
import org.ddpm4j.schedules.NoiseSchedule;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

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
    Path picture = OutputFolder.of(args, 0).resolve("forward-process.png");
    ImageDataSet clothes = FashionMnist.load(Split.TRAIN);
    System.out.println("Images: " + clothes.source());
    draw(clothes, picture);
    System.out.printf(
        Locale.ROOT,
        "%s: t from 0 to %d; two rows linear, two rows cosine%n",
        picture,
        TIMESTEPS - 1);
  }

  static void draw(ImageDataSet clothes, Path picture) throws IOException {
    INDArray linear = strips(clothes, NoiseSchedule.of(LinearSchedule.paper(), TIMESTEPS));
    INDArray cosine = strips(clothes, NoiseSchedule.of(CosineSchedule.paper(), TIMESTEPS));
    Images.writePng(Images.grid(Nd4j.concat(0, linear, cosine), COLUMNS, 2), picture);
  }

  /** For each image one row of {@value #COLUMNS} noise levels, {@code [N,C,H,W]}. */
  private static INDArray strips(ImageDataSet dataSet, NoiseSchedule schedule) {
    ForwardProcess forward = new ForwardProcess(schedule);
    INDArray[] rows = new INDArray[IMAGES];
    for (int image = 0; image < IMAGES; image++) {
      int[] sameImage = new int[COLUMNS];
      int[] t = new int[COLUMNS];
      for (int i = 0; i < COLUMNS; i++) {
        sameImage[i] = image;
        t[i] = i * (TIMESTEPS - 1) / (COLUMNS - 1);
      }
      INDArray x0 = dataSet.batch(sameImage).getFeatures();
      INDArray eps = NoiseSource.seeded(0, 0).gaussian(image, x0.shape());
      rows[image] = forward.qSample(x0, t, eps);
    }
    return Nd4j.concat(0, rows);
  }
}
