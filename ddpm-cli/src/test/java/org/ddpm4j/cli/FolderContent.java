package org.ddpm4j.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/** All files of a folder and what is in them, to compare it with another. */
final class FolderContent {

  private FolderContent() {}

  /** The checksum of each file by its path within the folder. */
  static Map<String, String> of(Path folder) throws IOException {
    Map<String, String> content = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder)) {
      files
          .filter(file -> !Files.isDirectory(file))
          .forEach(file -> content.put(folder.relativize(file).toString(), checksum(file)));
    }
    return content;
  }

  private static String checksum(Path file) {
    try {
      CRC32C sum = new CRC32C();
      sum.update(Files.readAllBytes(file));
      return HexFormat.of().toHexDigits(sum.getValue(), 8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Copies a folder with all that is in it. */
  static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }

  /** Deletes a file, or a folder with all that is in it. */
  static void delete(Path path) throws IOException {
    try (Stream<Path> files = Files.walk(path)) {
      for (Path file : (Iterable<Path>) files.sorted((a, b) -> b.compareTo(a))::iterator) {
        Files.delete(file);
      }
    }
  }
}
