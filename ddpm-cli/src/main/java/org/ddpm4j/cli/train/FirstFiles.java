package org.ddpm4j.cli.train;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a training writes into a folder that was free, before its first step is done. Whoever makes
 * the batches smaller, say, may take the same folder.
 *
 * @param paths files and folders, what is in a folder before it
 */
record FirstFiles(List<Path> paths) {

  static final FirstFiles NONE = new FirstFiles(List.of());

  /** Before the name of what is nobody's: locks, and files that are being written. */
  private static final String HIDDEN = ".ddpm4j-";

  /**
   * Files that are there or will be, and folders with what is in them now.
   *
   * @param files that need not be there
   * @param folders that need not be there
   * @throws IOException if a folder cannot be read
   */
  static FirstFiles of(List<Path> files, List<Path> folders) throws IOException {
    List<Path> all = new ArrayList<>(files);
    for (Path folder : folders) {
      if (Files.exists(folder)) {
        try (Stream<Path> found = Files.walk(folder)) {
          all.addAll(found.sorted(Comparator.reverseOrder()).toList());
        }
      }
    }
    return new FirstFiles(List.copyOf(all));
  }

  /** Whether nothing has come to them in a run's folder. */
  boolean areAllOf(Path folder) throws IOException {
    try (Stream<Path> found = Files.walk(folder)) {
      return found
          .filter(path -> !Files.isDirectory(path))
          .filter(path -> !path.getFileName().toString().startsWith(HIDDEN))
          .allMatch(paths::contains);
    }
  }

  /** Removes them, but for folders in which others have put something since. */
  void remove() throws IOException {
    for (Path path : paths) {
      try {
        Files.deleteIfExists(path);
      } catch (DirectoryNotEmptyException e) {
        continue;
      }
    }
  }
}
