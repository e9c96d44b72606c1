package org.ddpm4j.spark.training;

import java.util.List;
import java.util.Random;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.diffusion.ImageShape;

/** Images of noise, of two classes in turn. */
public final class TinyImages {

  private TinyImages() {}

  /** So many of 8x8 pixels. */
  public static ImageDataSet of(int count) {
    byte[] pixels = new byte[count * 64];
    new Random(4).nextBytes(pixels);
    int[] labels = new int[count];
    for (int i = 0; i < count; i++) {
      labels[i] = i % 2;
    }
    return ImageDataSet.of(
        new ImageShape(1, 8, 8), pixels, labels, List.of("a", "b"), "images of noise");
  }
}
