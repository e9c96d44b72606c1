package org.ddpm4j.cli.options;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.io.hub.SingleFile;

/** Where a single file of weights is: a path, or a file of a model of the hub. */
public final class WeightsPlace {

  private WeightsPlace() {}

  /**
   * The file. One of the hub is downloaded unless it is in the cache.
   *
   * @param place a path, or OWNER/NAME[@REVISION][:FILE]
   * @param word that the name of the file has in it, where the place does not say it
   * @param console hears of downloads
   * @return the file; the place itself where it is no name of the hub, whether it exists or not
   * @throws IOException if there is no such file, or it can neither be downloaded nor is it in the
   *     cache
   * @throws BadInputException if it is neither a path nor a name
   */
  public static Path file(String place, String word, Console console) throws IOException {
    Optional<SingleFile> file = SingleFile.parse(place.replace(File.separatorChar, '/'), word);
    Path path = FileNames.path(place);
    if (file.isEmpty() || Files.exists(path)) {
      return path;
    }
    return ModelPlace.ofHub(place, console, file.get()::in);
  }
}
