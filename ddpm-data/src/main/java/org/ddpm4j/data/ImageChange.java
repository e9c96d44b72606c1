package org.ddpm4j.data;

import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.image.Augmentation;
import org.ddpm4j.diffusion.random.CounterRandom;

/**
 * What an augmentation does to one image in one epoch. Whole levels come out, as of a file, so that
 * whatever is true of pixels (a decoder's bins, for example) stays true.
 *
 * @param size the part of height and width that is kept, in (0,1]
 * @param top where that part begins, as a share of the rows that are cut away, in [0,1]
 * @param left the same of the columns
 * @param brightness added to each level, of 255
 * @param contrast what the distance from middle grey, 127.5, is multiplied by
 * @param saturation what the distance from the luma is multiplied by, in colours
 */
record ImageChange(
    double size, double top, double left, double brightness, double contrast, double saturation) {

  /** Neighbouring pixels of one axis, and the share of the second of them. */
  private record Axis(int[] first, int[] second, float[] share) {

    /** The centres of the pixels of the enlarged part, where they lie in the whole. */
    static Axis of(int pixels, double size, double begin) {
      Axis axis = new Axis(new int[pixels], new int[pixels], new float[pixels]);
      double offset = begin * (1 - size) * pixels;
      for (int i = 0; i < pixels; i++) {
        double place = Math.max(0, Math.min(pixels - 1, offset + (i + 0.5) * size - 0.5));
        axis.first[i] = (int) place;
        axis.second[i] = Math.min(pixels - 1, axis.first[i] + 1);
        axis.share[i] = (float) (place - axis.first[i]);
      }
      return axis;
    }
  }

  /**
   * The change of one image.
   *
   * @param augmentation how strong
   * @param random of the seed
   * @param image its index in the data set
   * @param epoch in which it is seen
   */
  static ImageChange draw(Augmentation augmentation, CounterRandom random, long image, long epoch) {
    double jitter = augmentation.colorJitter();
    return new ImageChange(
        1 - augmentation.crop() * random.uniform(image, epoch, 0),
        random.uniform(image, epoch, 1),
        random.uniform(image, epoch, 2),
        255 * jitter / 2 * around(random.uniform(image, epoch, 3)),
        1 + jitter * around(random.uniform(image, epoch, 4)),
        1 + jitter * around(random.uniform(image, epoch, 5)));
  }

  /** From [0,1) to [-1,1). */
  private static double around(double uniform) {
    return 2 * uniform - 1;
  }

  /**
   * The changed image.
   *
   * @param pixels {@code [C,H,W]}
   * @param shape of the image
   * @return {@code [C,H,W]}
   */
  byte[] apply(byte[] pixels, ImageShape shape) {
    Axis down = Axis.of(shape.height(), size, top);
    Axis across = Axis.of(shape.width(), size, left);
    byte[] changed = new byte[pixels.length];
    float[] levels = new float[shape.channels()];
    int plane = shape.height() * shape.width();
    for (int y = 0; y < shape.height(); y++) {
      for (int x = 0; x < shape.width(); x++) {
        for (int c = 0; c < levels.length; c++) {
          levels[c] = between(pixels, c * plane, shape.width(), down, y, across, x);
        }
        color(levels);
        for (int c = 0; c < levels.length; c++) {
          int level = Math.round(Math.max(0, Math.min(255, levels[c])));
          changed[c * plane + y * shape.width() + x] = (byte) level;
        }
      }
    }
    return changed;
  }

  private static float between(
      byte[] pixels, int plane, int width, Axis down, int y, Axis across, int x) {
    int upper = plane + down.first[y] * width;
    int lower = plane + down.second[y] * width;
    float above = mix(pixels, upper + across.first[x], upper + across.second[x], across.share[x]);
    float below = mix(pixels, lower + across.first[x], lower + across.second[x], across.share[x]);
    return above + down.share[y] * (below - above);
  }

  private static float mix(byte[] pixels, int first, int second, float share) {
    float begin = Byte.toUnsignedInt(pixels[first]);
    return begin + share * (Byte.toUnsignedInt(pixels[second]) - begin);
  }

  private void color(float[] levels) {
    float grey = levels.length == 3 ? Luma.of(levels[0], levels[1], levels[2]) : 0;
    double kept = levels.length == 3 ? saturation : 1;
    for (int c = 0; c < levels.length; c++) {
      double saturated = grey + kept * (levels[c] - grey);
      levels[c] = (float) (127.5 + contrast * (saturated - 127.5) + brightness);
    }
  }
}
