package org.ddpm4j.data;

/**
 * The shape of one image, {@code [C,H,W]}.
 *
 * @param channels C, at least 1
 * @param height H in pixels, at least 1
 * @param width W in pixels, at least 1
 */
public record ImageShape(int channels, int height, int width) {

  /**
   * Checks the values.
   *
   * @param channels C
   * @param height H in pixels
   * @param width W in pixels
   * @throws IllegalArgumentException if one of them is less than 1, or their product does not fit
   *     an int
   */
  public ImageShape {
    boolean empty = channels < 1 || height < 1 || width < 1;
    if (empty || (double) channels * height * width > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          String.format(
              "An image of %d channels, %d rows and %d columns is not possible.",
              channels, height, width));
    }
  }

  /**
   * The values of one image.
   *
   * @return C·H·W
   */
  public int volume() {
    return channels * height * width;
  }

  /** As in {@code [1,28,28]}. */
  @Override
  public String toString() {
    return "[" + channels + "," + height + "," + width + "]";
  }
}
