package org.ddpm4j.diffusion;

import org.ddpm4j.io.Text;

/**
 * The size of one image.
 *
 * @param channels C, at least 1
 * @param height H in pixels, at least 1
 * @param width W in pixels, at least 1
 */
public record ImageShape(int channels, int height, int width) {

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if one is out of range, or their product does not fit an int
   */
  public ImageShape {
    if (channels < 1 || height < 1 || width < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "An image of %d channel(s), height %d and width %d is empty; every size must be at least 1.",
              channels, height, width));
    }
    if ((double) channels * height * width > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          Text.format(
              "An image of %d channel(s), height %d and width %d is too large; it may have %d value(s).",
              channels, height, width, Integer.MAX_VALUE));
    }
  }

  /** {@return the number of values of one image, C·H·W} */
  public int volume() {
    return channels * height * width;
  }

  /**
   * The shape of a batch.
   *
   * @param images how many
   * @return {@code [N,C,H,W]}; a new array
   */
  public long[] ofBatch(int images) {
    return new long[] {images, channels, height, width};
  }

  /** As in {@code 28x32x1}, height, width and channels. */
  @Override
  public String toString() {
    return Text.format("%dx%dx%d", height, width, channels);
  }
}
