package org.ddpm4j.data;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * A data set that was read from image files, and the files that could not be read.
 *
 * @param images the data set
 * @param skipped what was left out, in the order of the files; always empty with {@link
 *     CorruptFiles#REFUSE}
 */
public record LoadedImages(ImageDataSet images, List<Skipped> skipped) {

  /**
   * A file that could not be read.
   *
   * @param file where it is
   * @param reason a clause that says what is wrong, without a full stop
   */
  public record Skipped(Path file, String reason) {}

  /**
   * Checks that nothing is missing.
   *
   * @param images the data set
   * @param skipped what was left out
   */
  public LoadedImages {
    Objects.requireNonNull(images, "images");
    skipped = List.copyOf(skipped);
  }
}
