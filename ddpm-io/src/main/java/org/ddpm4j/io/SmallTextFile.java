package org.ddpm4j.io;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;

/**
 * A kind of text files in UTF-8 that are read whole; one that is larger than any of its kind is
 * refused before memory is taken.
 *
 * @param maxBytes the largest size
 * @param kind what such a file is, {@code configuration of a U-Net} for example
 * @param whenMissing what a missing file means, the end of a sentence
 */
public record SmallTextFile(long maxBytes, String kind, String whenMissing) {

  /**
   * Checks that nothing is missing.
   *
   * @throws NullPointerException if a text is
   */
  public SmallTextFile {
    Objects.requireNonNull(kind, "kind");
    Objects.requireNonNull(whenMissing, "whenMissing");
  }

  /**
   * Reads a file.
   *
   * @param file the file
   * @return its text
   * @throws IOException if it is missing, a folder, too large, not in UTF-8 or cannot be read; the
   *     message is a sentence
   */
  public String read(Path file) throws IOException {
    try {
      if (Files.isDirectory(file)) {
        throw new IOException(
            String.format(Locale.ROOT, "%s is a folder where a file is expected.", file));
      }
      if (Files.size(file) > maxBytes) {
        throw new IOException(
            String.format(
                Locale.ROOT, "%s has more than %d bytes and so is no %s.", file, maxBytes, kind));
      }
      return Files.readString(file);
    } catch (NoSuchFileException e) {
      throw new IOException(String.format(Locale.ROOT, "%s is missing; %s.", file, whenMissing), e);
    } catch (CharacterCodingException e) {
      throw new IOException(String.format(Locale.ROOT, "%s is not a text file in UTF-8.", file), e);
    } catch (FileSystemException e) {
      throw new IOException(
          String.format(
              Locale.ROOT,
              "%s cannot be read (%s); check its permissions.",
              file,
              e.getClass().getSimpleName()),
          e);
    }
  }
}
