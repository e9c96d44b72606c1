package org.ddpm4j.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A data set that is published as an archive, which the user unpacks, and the search for its files.
 *
 * @param name what people call it
 * @param folder its folder in the cache and in the system's folder
 * @param archiveFolder the folder that the archive unpacks to
 * @param witness a file or folder by which the data set is known
 * @param address of the archive
 * @param size of the archive, for people to read
 */
record UnpackedArchive(
    String name, String folder, String archiveFolder, String witness, String address, String size) {

  /**
   * The folder with the data set's files: of the data folder if there is one, or of the cache, or
   * of the system's folder.
   *
   * @throws IOException if none has them; the message says where to get them
   */
  Path find(DataSources sources) throws IOException {
    List<Path> places =
        sources
            .dataFolder()
            .map(List::of)
            .orElseGet(
                () ->
                    List.of(
                        sources.cacheFolder().resolve(folder),
                        sources.systemFolder().resolve(folder)));
    for (Path place : places) {
      for (Path candidate : List.of(place, place.resolve(archiveFolder))) {
        if (Files.exists(candidate.resolve(witness))) {
          return candidate;
        }
      }
    }
    if (sources.dataFolder().isPresent()) {
      Path data = sources.dataFolder().get();
      throw new IOException(
          String.format(
              "The data folder %s %s; expected the files of %s (%s, %s), unpacked.",
              data,
              Files.isDirectory(data) ? "lacks " + witness : "does not exist or is not a folder",
              name,
              address,
              size));
    }
    throw new IOException(
        String.format(
            "%s is not on this machine, and it is not downloaded by itself; get %s (%s) and unpack"
                + " it into %s, or name the folder that holds its files as data folder.",
            name, address, size, places.get(0)));
  }
}
