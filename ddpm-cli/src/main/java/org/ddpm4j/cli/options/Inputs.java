package org.ddpm4j.cli.options;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Keeps what a command reads from being replaced, or added to, by what it writes. */
public final class Inputs {

  private Inputs() {}

  /**
   * Refuses to write to a file that an option of the command names as something to read. However it
   * is written, through links and by other folders, it is the same file.
   *
   * @param command that is run
   * @param output the file that it is to write, which need not exist
   * @throws BadInputException if that is the file of another option
   * @throws IOException if the disk cannot tell
   */
  public static void requireOther(CommandSpec command, Path output) throws IOException {
    if (!Files.isRegularFile(output)) {
      return;
    }
    for (OptionSpec option : command.commandLine().getParseResult().matchedOptions()) {
      if (option.longestName().equals("--output")) {
        continue;
      }
      for (String value : values(option)) {
        if (isFile(value) && Files.isSameFile(Path.of(value), output)) {
          throw new BadInputException(
              "The result would replace %s, the file that '%s' names; choose another file by --output.",
              output, option.longestName());
        }
      }
    }
  }

  /** Whole and at the commas, since some options take several files. */
  private static List<String> values(OptionSpec option) {
    List<String> values = new ArrayList<>();
    for (String value : option.originalStringValues()) {
      values.add(value);
      values.addAll(List.of(value.split(",")));
    }
    return values;
  }

  private static boolean isFile(String value) {
    try {
      return !value.isEmpty() && Files.isRegularFile(Path.of(value));
    } catch (InvalidPathException e) {
      return false;
    }
  }

  /**
   * Refuses to write pictures to where they would be read as further images the next time.
   *
   * @param images a folder of which every image is read, in whatever folder in it
   * @param output the file or folder to write, which need not exist
   * @param option that chooses another
   * @throws BadInputException if the output lies in the folder, and not in a part that is left out
   *     since its name begins with a full stop
   * @throws IOException if the disk cannot tell
   */
  public static void requireOutside(Path images, Path output, String option) throws IOException {
    if (!Files.isDirectory(images)) {
      return;
    }
    Path folder = images.toRealPath();
    Path place = realPath(output);
    if (!place.startsWith(folder)) {
      return;
    }
    for (Path name : folder.relativize(place)) {
      if (name.toString().startsWith(".")) {
        return;
      }
    }
    throw new BadInputException(
        "%s lies in the folder of images %s, where pictures would be read as images of the data set; choose a place outside by %s.",
        output, images, option);
  }

  /** Where a file is or will be, without links. */
  private static Path realPath(Path path) throws IOException {
    Path whole = path.toAbsolutePath();
    Path existing = whole;
    while (existing.getParent() != null && Files.notExists(existing, LinkOption.NOFOLLOW_LINKS)) {
      existing = existing.getParent();
    }
    return Files.exists(existing)
        ? existing.toRealPath().resolve(existing.relativize(whole)).normalize()
        : whole.normalize();
  }
}
