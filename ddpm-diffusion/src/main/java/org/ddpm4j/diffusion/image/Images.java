package org.ddpm4j.diffusion.image;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.imageio.ImageIO;
import org.ddpm4j.unet.io.AtomicFile;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Images in [-1,1] as pictures. A value becomes the nearest of 256 levels; what lies outside the
 * range is clipped, never wrapped.
 */
public final class Images {

  private Images() {}

  /**
   * One image.
   *
   * @param image {@code [C,H,W]} in [-1,1] with C of 1 (grey) or 3 (red, green, blue)
   * @return the picture
   * @throws IllegalArgumentException if there is no such picture
   */
  public static BufferedImage toPicture(INDArray image) {
    if (image.rank() != 3 || (image.size(0) != 1 && image.size(0) != 3)) {
      throw new IllegalArgumentException(
          "A tensor of shape %s is no picture; [1,H,W] and [3,H,W] are."
              .formatted(Arrays.toString(image.shape())));
    }
    int height = (int) image.size(1);
    int width = (int) image.size(2);
    float[] values = image.dup('c').data().asFloat();
    int plane = height * width;
    boolean grey = image.size(0) == 1;
    BufferedImage picture =
        new BufferedImage(
            width, height, grey ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < plane; i++) {
      int red = level(values[i]);
      int green = grey ? red : level(values[plane + i]);
      int blue = grey ? red : level(values[2 * plane + i]);
      if (grey) {
        picture.getRaster().setSample(i % width, i / width, 0, red);
      } else {
        picture.setRGB(i % width, i / width, red << 16 | green << 8 | blue);
      }
    }
    return picture;
  }

  /**
   * The level of a value.
   *
   * @param value in [-1,1]; NaN is black
   * @return 0..255
   */
  static int level(double value) {
    return (int) Math.round(Math.min(1, Math.max(0, (value + 1) / 2)) * 255);
  }

  /**
   * Many images side by side, row by row, with a thin line between them.
   *
   * @param images {@code [N,C,H,W]} in [-1,1]
   * @param columns images in a row, at least 1
   * @param scale width and height of each pixel in the picture, at least 1
   * @return the picture
   */
  public static BufferedImage grid(INDArray images, int columns, int scale) {
    if (images.rank() != 4 || images.size(0) < 1 || columns < 1 || scale < 1) {
      throw new IllegalArgumentException(
          "A tensor of shape %s makes no grid of %d columns at scale %d; it takes [N,C,H,W] with N, columns and scale at least 1."
              .formatted(Arrays.toString(images.shape()), columns, scale));
    }
    int count = (int) images.size(0);
    int across = Math.min(columns, count);
    int down = (count + across - 1) / across;
    int cellWidth = (int) images.size(3) * scale + 1;
    int cellHeight = (int) images.size(2) * scale + 1;
    BufferedImage picture =
        new BufferedImage(
            across * cellWidth + 1, down * cellHeight + 1, BufferedImage.TYPE_INT_RGB);
    var graphics = picture.createGraphics();
    for (int i = 0; i < count; i++) {
      graphics.drawImage(
          toPicture(images.slice(i)),
          i % across * cellWidth + 1,
          i / across * cellHeight + 1,
          cellWidth - 1,
          cellHeight - 1,
          null);
    }
    graphics.dispose();
    return picture;
  }

  /**
   * The number of columns that makes a grid roughly square.
   *
   * @param count number of images
   * @return the root of the count, rounded up
   */
  public static int squareColumns(int count) {
    return (int) Math.ceil(Math.sqrt(count));
  }

  /**
   * Writes a PNG file, whole or not at all.
   *
   * @param picture to write
   * @param file to write or replace
   * @throws IOException if it cannot be written
   */
  public static void writePng(BufferedImage picture, Path file) throws IOException {
    AtomicFile.write(file, out -> ImageIO.write(picture, "png", out));
  }

  /**
   * Writes an animated GIF file that repeats for ever, whole or not at all.
   *
   * @param frames of one size, at least one
   * @param millisPerFrame how long each is shown, at least 10; the last is shown for two seconds
   * @param file to write or replace
   * @throws IOException if it cannot be written
   */
  public static void writeGif(List<BufferedImage> frames, int millisPerFrame, Path file)
      throws IOException {
    AtomicFile.write(file, out -> AnimatedGif.write(frames, millisPerFrame, out));
  }
}
