package org.ddpm4j.io;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
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

  private static final String BYTE_ORDER_MARK = "\ufeff";

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
   * What to say of a file that the system does not let be read.
   *
   * @param file the file
   * @param cause what the system said
   * @return a sentence that names the file
   */
  public static IOException unreadable(Path file, FileSystemException cause) {
    Path folder = file.toAbsolutePath().getParent();
    String sentence;
    if (cause instanceof AccessDeniedException) {
      sentence = Text.format("%s may not be read by this user; change its permissions.", file);
    } else if (Files.isRegularFile(folder)) {
      sentence =
          Text.format(
              "%s is a file where a folder with %s is expected; name the folder.",
              folder, file.getFileName());
    } else {
      sentence =
          Text.format(
              "%s cannot be read (the system says: %s); choose another path.",
              file, cause.getReason() == null ? cause.getMessage() : cause.getReason());
    }
    return new IOException(sentence, cause);
  }

  /**
   * A text without the mark that editors of Windows begin files with.
   *
   * @param text of a file
   * @return what follows the mark, or all of it
   */
  public static String withoutByteOrderMark(String text) {
    return text.startsWith(BYTE_ORDER_MARK) ? text.substring(BYTE_ORDER_MARK.length()) : text;
  }

  /**
   * Reads a file.
   *
   * @param file the file
   * @return its text, without a byte order mark
   * @throws IOException if it is missing, a folder or a device, too large, not in UTF-8 or cannot
   *     be read; the message is a sentence
   */
  public String read(Path file) throws IOException {
    Objects.requireNonNull(file, "file");
    try {
      if (Files.isDirectory(file)) {
        throw new IOException(
            Text.format("%s is a folder where a file is expected; %s.", file, whenMissing));
      }
      if (Files.exists(file) && !Files.isRegularFile(file)) {
        // It may have no end, or nobody who writes to it.
        throw new IOException(
            Text.format(
                "%s is a device or a pipe where a file is expected; %s.", file, whenMissing));
      }
      if (Files.size(file) > maxBytes) {
        throw new IOException(
            Text.format(
                "%s has more than %d bytes and so is no %s; %s.",
                file, maxBytes, kind, whenMissing));
      }
      return withoutByteOrderMark(Files.readString(file));
    } catch (NoSuchFileException e) {
      throw new IOException(Text.format("%s is missing; %s.", file, whenMissing), e);
    } catch (CharacterCodingException e) {
      throw new IOException(
          Text.format("%s is not a text file in UTF-8; %s.", file, whenMissing), e);
    } catch (FileSystemException e) {
      throw unreadable(file, e);
    }
  }
}
