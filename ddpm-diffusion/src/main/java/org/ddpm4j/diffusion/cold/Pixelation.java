package org.ddpm4j.diffusion.cold;

import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Makes pixels twice as large with each step: D(x0, s) has the mean of each block of {@code 2^s}
 * times {@code 2^s} pixels in all of its pixels (after Bansal et al. 2022, section 4.3). Blocks are
 * laid from the upper left corner; where the size is no multiple of {@code 2^s}, those at the right
 * and lower edges are smaller. Once a block holds the whole image, nothing but its mean is left.
 *
 * @param steps T, in 1..30
 */
public record Pixelation(int steps) implements Degradation {

  private static final int MOST_STEPS = 30;

  /**
   * Checks the range.
   *
   * @throws IllegalArgumentException if it is out of range
   */
  public Pixelation {
    ImageByImage.requireSteps(steps);
    if (steps > MOST_STEPS) {
      throw new IllegalArgumentException(
          Text.format("Pixels cannot be doubled %d times; choose 1 to %d.", steps, MOST_STEPS));
    }
  }

  @Override
  public INDArray degrade(INDArray x0, int[] severity, long[] keys) {
    ImageShape shape = ImageByImage.shape(x0);
    return ImageByImage.apply(
        this, x0, severity, keys, (pixels, s, key) -> pixelate(pixels, shape, 1 << s));
  }

  private static void pixelate(double[] pixels, ImageShape shape, int block) {
    int width = shape.width();
    int across = (width - 1) / block + 1;
    int down = (shape.height() - 1) / block + 1;
    for (int c = 0; c < shape.channels(); c++) {
      int plane = c * shape.height() * width;
      double[] sums = new double[down * across];
      int[] counts = new int[down * across];
      for (int i = 0; i < shape.height() * width; i++) {
        int place = i / width / block * across + i % width / block;
        sums[place] += pixels[plane + i];
        counts[place]++;
      }
      for (int i = 0; i < shape.height() * width; i++) {
        int place = i / width / block * across + i % width / block;
        pixels[plane + i] = sums[place] / counts[place];
      }
    }
  }
}
