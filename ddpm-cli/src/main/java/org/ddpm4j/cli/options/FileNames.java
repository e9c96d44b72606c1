package org.ddpm4j.cli.options;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.ddpm4j.io.Text;

/** Names of files in the user's words, and what is said of those that cannot be read. */
public final class FileNames {

  /** What Java reads in the place of bytes that are no text. */
  private static final String REPLACEMENT = "\uFFFD";

  private static final String READ_ELSEWHERE =
      "set LC_ALL=C.UTF-8, or begin by the launcher ddpm, which sees to that";

  private FileNames() {}

  /**
   * A file or folder.
   *
   * @param words the user's
   * @return its path, whether it exists or not
   * @throws BadInputException if no file can be called so
   */
  public static Path path(String words) {
    try {
      return Path.of(words);
    } catch (InvalidPathException e) {
      throw new BadInputException(refusal(words));
    }
  }

  /**
   * What is said of a name that is not possible.
   *
   * @param words the user's
   * @return the sentence, which begins with the name
   */
  public static String refusal(String words) {
    if (words.contains(REPLACEMENT)) {
      return Text.format("'%s' cannot be read.", words);
    }
    return isUnicode()
        ? Text.format("'%s' is no name that a file can have; take another.", words)
        : Text.format(
            "'%s' is no name that a file can have where names are in %s, as the locale says; %s.",
            words, encoding(), READ_ELSEWHERE);
  }

  /**
   * What is to be added to a line that shows names that could not be read.
   *
   * @param line which may have them
   * @return a sentence with a space before it, or nothing
   */
  public static String explanation(String line) {
    if (!line.contains(REPLACEMENT)) {
      return "";
    }
    return isUnicode()
        ? Text.format(
            " Each %s stands for bytes that are no UTF-8; rename a file or folder that is called so.",
            REPLACEMENT)
        : Text.format(
            " Each %s stands for a byte that the encoding %s, which the locale has for names, does not know; %s.",
            REPLACEMENT, encoding(), READ_ELSEWHERE);
  }

  private static boolean isUnicode() {
    return encoding().equals(StandardCharsets.UTF_8);
  }

  /** In which Java reads the command line and the names of files. */
  private static Charset encoding() {
    String name = System.getProperty("sun.jnu.encoding", "UTF-8");
    return Charset.isSupported(name) ? Charset.forName(name) : StandardCharsets.UTF_8;
  }
}
