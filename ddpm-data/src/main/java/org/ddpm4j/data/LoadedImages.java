package org.ddpm4j.data;

import java.nio.file.Path;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.ddpm4j.io.Text;

/**
 * A data set that was read from image files, and the files that are not in it.
 *
 * @param images the data set
 * @param skipped what was left out, in the order of the files; always empty with {@link
 *     CorruptFiles#REFUSE}
 * @param leftOut how many files were not looked at because of their names, by the names' endings in
 *     small letters, as {@code avif}; the empty one for names that have none
 */
public record LoadedImages(
    ImageDataSet images, List<Skipped> skipped, Map<String, Integer> leftOut) {

  /**
   * A file that could not be read.
   *
   * @param file where it is
   * @param reason a clause that says what is wrong, without a full stop
   */
  public record Skipped(Path file, String reason) {}

  /** Checks that nothing is missing. */
  public LoadedImages {
    Objects.requireNonNull(skipped, "skipped");
    Objects.requireNonNull(leftOut, "leftOut");
    Objects.requireNonNull(images, "images");
    skipped = List.copyOf(skipped);
    leftOut = Collections.unmodifiableMap(new TreeMap<>(leftOut));
  }

  /**
   * A data set for which all files were looked at.
   *
   * @param images the data set
   * @param skipped what could not be read
   */
  public LoadedImages(ImageDataSet images, List<Skipped> skipped) {
    this(images, skipped, Map.of());
  }

  /** Numbers of files in words, the most frequent first: {@code 12 .avif, 1 without an ending}. */
  static String describe(Map<String, Integer> leftOut) {
    return leftOut.entrySet().stream()
        .sorted(
            Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder())
                .thenComparing(Map.Entry.comparingByKey()))
        .map(
            kind ->
                Text.format(
                    "%,d %s",
                    kind.getValue(),
                    kind.getKey().isEmpty() ? "without an ending" : "." + kind.getKey()))
        .collect(Collectors.joining(", "));
  }

  /**
   * What was left out, for people to read.
   *
   * @return numbers of files by the endings of their names, the most frequent first, as in {@code
   *     12 .avif, 1 .txt}; empty if all files were looked at
   */
  public String describeLeftOut() {
    return describe(leftOut);
  }
}
