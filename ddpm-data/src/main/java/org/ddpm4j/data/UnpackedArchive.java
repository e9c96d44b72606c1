package org.ddpm4j.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.ddpm4j.io.ForeignFormat;
import org.ddpm4j.io.Text;

/**
 * A data set that is published as an archive, which the user unpacks, and the search for its files.
 *
 * @param name what people call it
 * @param folder its folder in the cache and in the system's folder
 * @param subFolders where else its files may lie in such a folder: what the archive unpacks to, and
 *     where other programs put it
 * @param witness a file or folder by which the data set is known
 * @param address of the archive
 * @param size of the archive, for people to read
 * @param otherVersions in which it is published too, and which are not read
 */
record UnpackedArchive(
    String name,
    String folder,
    List<String> subFolders,
    String witness,
    String address,
    String size,
    List<OtherVersion> otherVersions) {

  /** Endings of archives that a user may have left as they are. */
  private static final List<String> ARCHIVES = List.of(".tar.gz", ".tgz", ".tar", ".zip");

  /**
   * Another version of the same data set.
   *
   * @param witness a file by which it is known
   * @param subFolder what its archive unpacks to
   * @param noun what it is, as in "the Python version, whose pickles are not read here"
   */
  record OtherVersion(String witness, String subFolder, String noun) {}

  /**
   * The folder with the data set's files: of the data folder if there is one, or of the cache, or
   * of the system's folder.
   *
   * @throws IOException if none has them; the message says what is there instead, and where to get
   *     them
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
      for (Path candidate : candidates(place)) {
        if (Files.exists(candidate.resolve(witness))) {
          return candidate;
        }
      }
    }
    for (Path place : places) {
      Optional<String> instead = found(place);
      if (instead.isPresent()) {
        throw new IOException(
            Text.format(
                "%s %s; expected the files of %s (%s, %s), unpacked.",
                place, instead.get(), name, address, size));
      }
    }
    if (sources.dataFolder().isPresent()) {
      Path data = sources.dataFolder().get();
      throw new IOException(
          Text.format(
              "The data folder %s %s; expected the files of %s (%s, %s), unpacked.",
              data,
              Files.isDirectory(data) ? "lacks " + witness : "does not exist or is not a folder",
              name,
              address,
              size));
    }
    throw new IOException(
        Text.format(
            "%s is not on this machine, and it is not downloaded by itself; get %s (%s) and unpack"
                + " it into %s, or name the folder that holds its files as data folder.",
            name, address, size, places.get(0)));
  }

  private List<Path> candidates(Path place) {
    return Stream.concat(Stream.of(place), subFolders.stream().map(place::resolve)).toList();
  }

  /** What is there instead of the files, as a verb and what follows. */
  private Optional<String> found(Path place) throws IOException {
    if (Files.isRegularFile(place)) {
      return Optional.of(
          ForeignFormat.of(place)
              .map(format -> "is a file, " + format.noun() + ", where a folder is needed")
              .orElse("is a file where a folder is needed"));
    }
    for (OtherVersion version : otherVersions) {
      for (Path candidate : List.of(place, place.resolve(version.subFolder()))) {
        if (Files.isRegularFile(candidate.resolve(version.witness()))) {
          return Optional.of("holds " + version.noun());
        }
      }
    }
    if (Files.isDirectory(place)) {
      try (Stream<Path> files = Files.list(place)) {
        return files
            .map(file -> file.getFileName().toString())
            .filter(file -> ARCHIVES.stream().anyMatch(file::endsWith))
            .sorted()
            .findFirst()
            .map(archive -> "holds an archive, " + archive + ", that has not been unpacked");
      }
    }
    return Optional.empty();
  }
}
