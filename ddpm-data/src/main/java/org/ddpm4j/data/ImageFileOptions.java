package org.ddpm4j.data;

import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.ddpm4j.diffusion.ImageShape;

/**
 * How image files become a data set.
 *
 * @param height H of every image in pixels, at least 1
 * @param width W of every image in pixels, at least 1
 * @param colors grey or colour
 * @param corrupt what becomes of files that cannot be read
 * @param onlyClass the name or number of the only class to read, or empty for all
 * @param maxImages the most files to read, at least 1 and evenly spread over all, or empty for all
 */
public record ImageFileOptions(
    int height,
    int width,
    ColorMode colors,
    CorruptFiles corrupt,
    Optional<String> onlyClass,
    OptionalInt maxImages) {

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if a number is out of range
   */
  public ImageFileOptions {
    Objects.requireNonNull(maxImages, "maxImages");
    Objects.requireNonNull(colors, "colors");
    Objects.requireNonNull(corrupt, "corrupt");
    Objects.requireNonNull(onlyClass, "onlyClass");
    if (maxImages.isPresent() && maxImages.getAsInt() < 1) {
      throw new IllegalArgumentException(
          "The most images are " + maxImages.getAsInt() + ", expected at least 1.");
    }
    // Only for its checks.
    new ImageShape(colors.channels(), height, width);
  }

  /**
   * All files in colour, none of which may be corrupt.
   *
   * @param height H of every image in pixels, at least 1
   * @param width W of every image in pixels, at least 1
   * @return the options
   * @throws IllegalArgumentException if a size is out of range
   */
  public static ImageFileOptions of(int height, int width) {
    return new ImageFileOptions(
        height, width, ColorMode.RGB, CorruptFiles.REFUSE, Optional.empty(), OptionalInt.empty());
  }

  /**
   * These options in other colours.
   *
   * @param newColors grey or colour
   * @return the changed options
   */
  public ImageFileOptions withColors(ColorMode newColors) {
    return new ImageFileOptions(height, width, newColors, corrupt, onlyClass, maxImages);
  }

  /**
   * These options with another fate of corrupt files.
   *
   * @param newCorrupt what becomes of files that cannot be read
   * @return the changed options
   */
  public ImageFileOptions withCorrupt(CorruptFiles newCorrupt) {
    return new ImageFileOptions(height, width, colors, newCorrupt, onlyClass, maxImages);
  }

  /**
   * These options for one class.
   *
   * @param nameOrNumber the only class to read
   * @return the changed options
   */
  public ImageFileOptions withOnlyClass(String nameOrNumber) {
    return new ImageFileOptions(
        height, width, colors, corrupt, Optional.of(nameOrNumber), maxImages);
  }

  /**
   * These options with a limit.
   *
   * @param most the most files to read, at least 1
   * @return the changed options
   * @throws IllegalArgumentException if it is less than 1
   */
  public ImageFileOptions withMaxImages(int most) {
    return new ImageFileOptions(height, width, colors, corrupt, onlyClass, OptionalInt.of(most));
  }

  /** {@return the shape of every image, {@code [C,H,W]}} */
  public ImageShape shape() {
    return new ImageShape(colors.channels(), height, width);
  }
}
