package org.ddpm4j.data;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.ddpm4j.io.ForeignFormat;
import org.ddpm4j.io.SmallTextFile;
import org.ddpm4j.io.Text;

/** Small text files. */
final class TextLines {

  private static final int MAX_BYTES = 64 << 20;

  private TextLines() {}

  /**
   * The lines of a file in UTF-8.
   *
   * @throws IOException if it is missing, is no text, or too long to be a list of names
   */
  static List<String> read(Path file) throws IOException {
    try {
      if (Files.exists(file) && !Files.isRegularFile(file)) {
        // A device may have no end, and a pipe nobody who writes to it.
        throw new IOException(
            file
                + " is a folder or a device, where a text file is expected; unpack the archive again.");
      }
      if (Files.size(file) > MAX_BYTES) {
        throw new IOException(
            Text.format(
                "%s has %d byte(s), too many for a list of names; unpack the archive again.",
                file, Files.size(file)));
      }
      return SmallTextFile.withoutByteOrderMark(Files.readString(file)).lines().toList();
    } catch (NoSuchFileException e) {
      throw new IOException(file + " is missing; unpack the archive again.", e);
    } catch (CharacterCodingException e) {
      throw new IOException(
          ForeignFormat.of(file)
                  .map(
                      format -> file + " is not text but " + format.noun() + "; " + format.remedy())
                  .orElse(file + " is not text in UTF-8; unpack the archive again")
              + ".",
          e);
    }
  }
}
