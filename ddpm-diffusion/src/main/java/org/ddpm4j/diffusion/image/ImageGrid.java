package org.ddpm4j.diffusion.image;

import java.awt.image.BufferedImage;
import java.awt.image.WritableRaster;
import java.util.Arrays;
import java.util.Objects;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A picture of many images side by side, row by row, with a black line of one pixel around each,
 * that is filled as the images come. What no image is meant for, at the end of the last row, is
 * white and without lines, as a page is: black, it looks like images that are black. Not
 * thread-safe.
 */
public final class ImageGrid {

  private static final int WHITE = 255;

  private final int count;
  private final int across;
  private final int channels;
  private final int height;
  private final int width;
  private final int scale;
  private final int line;
  private final Normalization normalization;
  private final BufferedImage picture;

  /**
   * A picture with places for images, which are black as yet.
   *
   * @param count of images, at least 1
   * @param columns images in a row, at least 1
   * @param channels C of the images, 1 (grey) or 3 (red, green, blue)
   * @param height H of the images
   * @param width W of the images
   * @param scale width and height of each pixel in the picture, at least 1
   * @param normalization how the images' values were made of pixels
   * @throws IllegalArgumentException if there is no such picture
   */
  public ImageGrid(
      int count,
      int columns,
      int channels,
      int height,
      int width,
      int scale,
      Normalization normalization) {
    this(count, columns, channels, height, width, scale, 1, normalization);
  }

  /** With lines of another width. */
  ImageGrid(
      int count,
      int columns,
      int channels,
      int height,
      int width,
      int scale,
      int line,
      Normalization normalization) {
    if (count < 1 || columns < 1 || scale < 1 || height < 1 || width < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "%d images of %dx%d make no picture of %d column(s) at scale %d; all must be at least 1.",
              count, height, width, columns, scale));
    }
    Images.requirePictures(channels);
    Objects.requireNonNull(normalization, "normalization").requireChannels(channels);
    this.count = count;
    this.across = Math.min(columns, count);
    this.channels = channels;
    this.height = height;
    this.width = width;
    this.scale = scale;
    this.line = line;
    this.normalization = normalization;
    picture =
        new BufferedImage(
            across * cellWidth() + line,
            (count + across - 1) / across * cellHeight() + line,
            channels == 1 ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_INT_RGB);
    whitenTheRest();
  }

  private void whitenTheRest() {
    int left = (count - 1) % across + 1;
    int x = left * cellWidth() + line;
    int y = (count - 1) / across * cellHeight() + line;
    int[] white = new int[(picture.getWidth() - x) * (picture.getHeight() - y)];
    Arrays.fill(white, WHITE);
    for (int channel = 0; channel < channels; channel++) {
      picture
          .getRaster()
          .setSamples(x, y, picture.getWidth() - x, picture.getHeight() - y, channel, white);
    }
  }

  private int cellWidth() {
    return width * scale + line;
  }

  private int cellHeight() {
    return height * scale + line;
  }

  /**
   * Puts images into their places. Their samples are set as they are: drawing by {@code Graphics2D}
   * may pass levels through a colour space. NaN is the darkest, as {@link Normalization#toPixel}
   * has it.
   *
   * @param first the number of the first, from 0
   * @param images {@code [n,C,H,W]}
   * @throws IllegalArgumentException if they are of another shape, or more than there are places
   */
  public void add(int first, INDArray images) {
    if (images.rank() != 4
        || !Arrays.equals(images.shape(), new long[] {images.size(0), channels, height, width})
        || first < 0
        || first + images.size(0) > count) {
      throw new IllegalArgumentException(
          Text.format(
              "Images of the shape %s from number %d on have no place among %d of [%d,%d,%d].",
              Arrays.toString(images.shape()), first, count, channels, height, width));
    }
    WritableRaster raster = picture.getRaster();
    float[] values = images.dup('c').data().asFloat();
    int[] square = new int[scale * scale];
    for (int i = 0; i < values.length; i++) {
      int image = first + i / (channels * height * width);
      int x = image % across * cellWidth() + line + i % width * scale;
      int y = image / across * cellHeight() + line + i / width % height * scale;
      int channel = i / (height * width) % channels;
      Arrays.fill(square, normalization.toPixel(values[i], channel));
      raster.setSamples(x, y, scale, scale, channel, square);
    }
  }

  /**
   * The picture.
   *
   * @return it, not a copy; of one band where the images are grey
   */
  public BufferedImage picture() {
    return picture;
  }
}
