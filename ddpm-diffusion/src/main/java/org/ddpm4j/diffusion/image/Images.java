package org.ddpm4j.diffusion.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import javax.imageio.stream.ImageOutputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.ddpm4j.diffusion.arithmetic.Views;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Images as pictures. A value becomes the nearest of 256 levels; what lies outside the range is
 * clipped, never wrapped, and NaN is drawn as the darkest level, so that a picture can be made of
 * what a network says that has failed. Where no {@link Normalization} is given, images are in
 * [-1,1].
 */
public final class Images {

  /** Of a grid that leaves no place empty: its columns for each row. */
  private static final int WIDEST = 3;

  private Images() {}

  /**
   * One image in [-1,1].
   *
   * @param image {@code [C,H,W]} in [-1,1] with C of 1 (grey) or 3 (red, green, blue)
   * @return the picture
   * @throws IllegalArgumentException if there is no such picture
   */
  public static BufferedImage toPicture(INDArray image) {
    return toPicture(image, Normalization.SYMMETRIC);
  }

  /**
   * One image.
   *
   * @param image {@code [C,H,W]} with C of 1 (grey) or 3 (red, green, blue)
   * @param normalization how its values were made of pixels
   * @return the picture
   * @throws IllegalArgumentException if there is no such picture
   */
  public static BufferedImage toPicture(INDArray image, Normalization normalization) {
    Objects.requireNonNull(image, "image");
    if (image.rank() != 3 || (image.size(0) != 1 && image.size(0) != 3)) {
      throw new IllegalArgumentException(
          Text.format(
              "A tensor of shape %s is no picture; [1,H,W] and [3,H,W] are.",
              Arrays.toString(image.shape())));
    }
    INDArray one = image.reshape(1, image.size(0), image.size(1), image.size(2));
    return draw(one, 1, 1, 0, normalization);
  }

  /**
   * Images one by one.
   *
   * @param images {@code [N,C,H,W]} with C of 1 (grey) or 3 (red, green, blue)
   * @param normalization how their values were made of pixels
   * @return N pictures
   * @throws IllegalArgumentException if there are no such pictures
   */
  public static List<BufferedImage> toPictures(INDArray images, Normalization normalization) {
    Objects.requireNonNull(images, "images");
    Objects.requireNonNull(normalization, "normalization");
    if (images.rank() != 4) {
      throw new IllegalArgumentException(
          Text.format(
              "A tensor of shape %s holds no pictures; [N,C,H,W] does.",
              Arrays.toString(images.shape())));
    }
    List<BufferedImage> pictures = new ArrayList<>();
    for (int i = 0; i < images.size(0); i++) {
      pictures.add(toPicture(Views.of(images, NDArrayIndex.point(i)), normalization));
    }
    return pictures;
  }

  /**
   * Checks that images can be shown.
   *
   * @param channels of each image
   * @throws IllegalArgumentException if there are neither 1 (grey) nor 3 (red, green, blue)
   */
  public static void requirePictures(long channels) {
    if (channels != 1 && channels != 3) {
      throw new IllegalArgumentException(
          Text.format(
              "Images of %d channels cannot become pictures; only 1 (grey) and 3 (colour) can.",
              channels));
    }
  }

  /**
   * Many images in [-1,1] side by side, row by row, with a black line of one pixel around each;
   * what is left of the last row is white.
   *
   * @param images {@code [N,C,H,W]} in [-1,1] with C of 1 (grey) or 3 (red, green, blue)
   * @param columns images in a row, at least 1
   * @param scale width and height of each pixel in the picture, at least 1
   * @return the picture, of one band where C is 1
   * @throws IllegalArgumentException if there is no such picture
   */
  public static BufferedImage grid(INDArray images, int columns, int scale) {
    return grid(images, columns, scale, Normalization.SYMMETRIC);
  }

  /**
   * Many images side by side, row by row, with a black line of one pixel around each; what is left
   * of the last row is white.
   *
   * @param images {@code [N,C,H,W]} with C of 1 (grey) or 3 (red, green, blue)
   * @param columns images in a row, at least 1
   * @param scale width and height of each pixel in the picture, at least 1
   * @param normalization how the images' values were made of pixels
   * @return the picture, of one band where C is 1
   * @throws IllegalArgumentException if there is no such picture
   */
  public static BufferedImage grid(
      INDArray images, int columns, int scale, Normalization normalization) {
    Objects.requireNonNull(normalization, "normalization");
    Objects.requireNonNull(images, "images");
    if (images.rank() != 4 || images.size(0) < 1 || columns < 1 || scale < 1) {
      throw new IllegalArgumentException(
          Text.format(
              "A tensor of shape %s makes no grid of %d column(s) at scale %d; it takes [N,C,H,W] with N, columns and scale at least 1.",
              Arrays.toString(images.shape()), columns, scale));
    }
    if (images.size(1) != 1 && images.size(1) != 3) {
      throw new IllegalArgumentException(
          Text.format(
              "Images of %d channels make no picture; 1 (grey) and 3 (red, green, blue) do.",
              images.size(1)));
    }
    return draw(images, (int) Math.min(columns, images.size(0)), scale, 1, normalization);
  }

  private static BufferedImage draw(
      INDArray images, int across, int scale, int line, Normalization normalization) {
    ImageGrid grid =
        new ImageGrid(
            (int) images.size(0),
            across,
            (int) images.size(1),
            (int) images.size(2),
            (int) images.size(3),
            scale,
            line,
            normalization);
    grid.add(0, images);
    return grid.picture();
  }

  /**
   * The number of columns that makes a grid roughly square: the least that leaves no place empty
   * and makes the grid no more than three times as wide as high, in images; where there is none,
   * the root of the count, rounded up.
   *
   * @param count number of images, at least 1
   * @return 8 for 64, 4 for 8 and for 14, 5 for 10
   */
  public static int squareColumns(int count) {
    int root = (int) Math.ceil(Math.sqrt(count));
    return IntStream.rangeClosed(Math.max(1, root), (int) Math.sqrt(WIDEST * (double) count))
        .filter(columns -> count % columns == 0)
        .findFirst()
        .orElse(root);
  }

  /**
   * Writes a PNG file, whole or not at all.
   *
   * @param picture to write
   * @param file to write or replace
   * @throws IOException if it cannot be written
   */
  public static void writePng(BufferedImage picture, Path file) throws IOException {
    AtomicFile.write(file, out -> writePng(picture, out));
  }

  /**
   * The PNG file of a picture, in memory.
   *
   * @param picture any
   * @return the file's bytes
   */
  public static byte[] png(BufferedImage picture) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      writePng(picture, bytes);
    } catch (IOException e) {
      throw new IllegalStateException("A picture could not be written into memory.", e);
    }
    return bytes.toByteArray();
  }

  /** Not by way of a temporary file, as ImageIO does by itself: there may be no place for one. */
  private static void writePng(BufferedImage picture, OutputStream out) throws IOException {
    try (ImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
      ImageIO.write(picture, "png", stream);
    }
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
