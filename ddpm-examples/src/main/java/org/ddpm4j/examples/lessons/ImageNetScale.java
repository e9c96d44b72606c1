package org.ddpm4j.examples.lessons;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.util.List;
import java.util.stream.DoubleStream;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.bound.DiscretizedGaussian;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.diffusion.sampling.X0Constraint;
import org.ddpm4j.plots.Panels;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Photographs normalised as for classifiers of ImageNet do not lie in [-1,1]. */
final class ImageNetScale {

  private static final int SIZE = 64;
  private static final int ZOOM = 5;

  private ImageNetScale() {}

  static void draw(LessonRun run) throws IOException {
    Normalization scale = Normalization.IMAGENET;
    INDArray image = winterDay().withNormalization(scale).batch(0).getFeatures();
    INDArray clipped = X0Constraint.clip(-1, 1).apply(image);
    run.picture(
        "b-imagenet-scale.png",
        Panels.grid(
            List.of(
                panel("as it is", image, scale),
                panel("clipped to [-1,1]", clipped, scale),
                panel("saved as if in [-1,1]", image, Normalization.SYMMETRIC)),
            3),
        "a bright picture in ImageNet's normalisation, and two mistakes");
    for (int c = 0; c < 3; c++) {
      run.say(
          "%s: %.3f to %.3f",
          List.of("red", "green", "blue").get(c), scale.lower(c), scale.upper(c));
    }
    double[] values = image.ravel().toDoubleVector();
    double outside =
        (double) DoubleStream.of(values).filter(x -> x < -1 || x > 1).count() / values.length;
    run.say("Of this picture's values, %.0f %% lie outside of [-1,1].", 100 * outside);
    try {
      DiscretizedGaussian.ofBytes().logLikelihood(0, scale.upper(0), 1, 0);
    } catch (IllegalArgumentException e) {
      run.say("The decoder for [-1,1]: %s", e.getMessage());
    }
  }

  private static BufferedImage panel(String title, INDArray image, Normalization scale) {
    return Panels.titled(title, Images.grid(image, 1, ZOOM, scale));
  }

  /** Blue sky, a white sun, snow, and a dark hut: made by rule, as no photograph comes along. */
  private static ImageDataSet winterDay() {
    byte[] pixels = new byte[3 * SIZE * SIZE];
    for (int i = 0; i < SIZE * SIZE; i++) {
      int y = i / SIZE;
      int x = i % SIZE;
      double fade = Math.min(1, y / 40.0);
      int[] rgb = {(int) (70 + 150 * fade), (int) (140 + 95 * fade), (int) (220 + 30 * fade)};
      double shade = 12 * Math.sin(x / 7.0 + y / 3.0);
      if (y > 40 + 4 * Math.sin(x / 9.0)) {
        rgb = new int[] {(int) (236 + shade), (int) (240 + shade), (int) (243 + shade)};
      }
      if (Math.hypot(x - 48, y - 13) < 7) {
        rgb = new int[] {255, 253, 240};
      }
      boolean roof = y > 22 && y <= 32 && Math.abs(x - 20) < y - 20;
      boolean wall = y > 32 && y < 50 && Math.abs(x - 20) < 10;
      if (roof || wall) {
        rgb = roof ? new int[] {60, 20, 18} : new int[] {95, 60, 40};
      }
      for (int c = 0; c < 3; c++) {
        pixels[c * SIZE * SIZE + i] = (byte) rgb[c];
      }
    }
    return ImageDataSet.of(
        new ImageShape(3, SIZE, SIZE), pixels, new int[1], List.of("winter"), "made by rule");
  }
}
