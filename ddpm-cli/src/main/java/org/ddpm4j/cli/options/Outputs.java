package org.ddpm4j.cli.options;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.image.Images;

/** What can be written: files whose names say what is in them, and images that make pictures. */
public final class Outputs {

  /** The ending of pictures, but for those that move. */
  public static final String PNG = "png";

  /** By which other programs take a file for something. */
  private static final Set<String> KNOWN =
      Set.of(PNG, "gif", "jpg", "jpeg", "webp", "tif", "tiff", "bmp", "safetensors");

  private Outputs() {}

  /**
   * Refuses a name by which a file would be taken for what it is not. One without an ending, or
   * with an ending of no meaning to other programs, is the user's business.
   *
   * @param option that names the file
   * @param file to be written
   * @param ending of what is written, without the dot and in lower case
   * @throws BadInputException if the name ends in that of another kind
   */
  public static void requireKind(String option, Path file, String ending) {
    Path name = file.getFileName();
    String words = name == null ? "" : name.toString();
    String found = words.substring(words.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    if (words.contains(".") && KNOWN.contains(found) && !found.equals(ending)) {
      throw new BadInputException(
          "%s is %s, but what is written is a file of the kind %s; give it a name that ends in .%s.",
          option, file, ending, ending);
    }
  }

  /**
   * Refuses images that cannot be shown.
   *
   * @param shape of the images
   * @throws BadInputException if they are neither grey nor RGB
   */
  public static void requirePictures(ImageShape shape) {
    BadInputException.check(
        () -> {
          Images.requirePictures(shape.channels());
          return shape;
        });
  }
}
