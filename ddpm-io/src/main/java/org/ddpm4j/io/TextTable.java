package org.ddpm4j.io;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * Tables that are kept for people, with a title line and commas. Nothing depends on them, and
 * somebody may have edited them or put another file in their place, so that none of them is worth
 * the end of a training.
 */
public final class TextTable {

  /** Of a training of millions of steps, written often. */
  private static final long MAX_BYTES = 64L << 20;

  private TextTable() {}

  /**
   * Reads a table as far as it is one.
   *
   * @param file that need not exist
   * @return its lines after the titles that are not blank; none of what is no regular file or is
   *     larger than any table; bytes that are not UTF-8 become U+FFFD
   * @throws IOException if the file cannot be read
   */
  public static List<String> rows(Path file) throws IOException {
    Objects.requireNonNull(file, "file");
    // Reading a pipe would wait for somebody to write to it.
    if (!Files.isRegularFile(file) || Files.size(file) > MAX_BYTES) {
      return List.of();
    }
    String text;
    try {
      text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw FileFailure.unreadable(file, e);
    }
    return text.lines().skip(1).filter(line -> !line.isBlank()).toList();
  }
}
