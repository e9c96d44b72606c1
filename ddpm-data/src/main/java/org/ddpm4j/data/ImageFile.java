package org.ddpm4j.data;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.io.Text;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A single image file: JPEG, PNG, GIF, BMP, TIFF or WebP, of several pictures the first. */
public final class ImageFile {

  /** From this grey on a pixel of a mask is white. */
  private static final int WHITE = 128;

  private ImageFile() {}

  /**
   * Reads a file as {@link ImageFolder} reads each of its files: scaled until its shorter side
   * fits, and its middle cut out; of one channel a colour image becomes its luma, of three a grey
   * image has three equal channels.
   *
   * @param file to read
   * @param shape of the image, of 1 or 3 channels
   * @return a data set of this image alone, in [-1,1] until another {@link
   *     ImageDataSet#withNormalization}
   * @throws IOException if it cannot be read
   * @throws IllegalArgumentException if there are neither 1 nor 3 channels
   */
  public static ImageDataSet read(Path file, ImageShape shape) throws IOException {
    Objects.requireNonNull(shape, "shape");
    if (shape.channels() != 1 && shape.channels() != 3) {
      throw new IllegalArgumentException(
          Text.format(
              "An image file has 1 channel (grey) or 3 (colour), not %d.", shape.channels()));
    }
    byte[] pixels;
    try {
      pixels = new ImageDecoder(shape).decode(file);
    } catch (IOException e) {
      throw new IOException(
          Text.format(
              "The image %s cannot be read: %s; choose a %s file.",
              file,
              String.valueOf(e.getMessage()).strip().replaceFirst("\\.$", ""),
              ImageDecoder.FORMAT_NAMES),
          e);
    }
    return ImageDataSet.of(shape, pixels, new int[1], List.of("image"), "the image " + file);
  }

  /**
   * Reads a mask of black and white, as {@link #read} reads an image of one channel.
   *
   * @param file to read
   * @param height of the mask
   * @param width of the mask
   * @return {@code [1,1,H,W]}, 1 where it is white
   * @throws IOException if it cannot be read
   */
  public static INDArray readMask(Path file, int height, int width) throws IOException {
    byte[] pixels = read(file, new ImageShape(1, height, width)).pixels(0);
    float[] mask = new float[pixels.length];
    for (int i = 0; i < pixels.length; i++) {
      mask[i] = Byte.toUnsignedInt(pixels[i]) >= WHITE ? 1 : 0;
    }
    return Nd4j.createFromArray(mask).reshape('c', 1, 1, height, width);
  }
}
