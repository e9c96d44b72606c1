package org.ddpm4j.io;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** Folders to write to. */
public final class Folders {

  private Folders() {}

  /**
   * Makes a folder and those above it, unless they exist.
   *
   * @param folder to make
   * @return those that were made, the innermost first
   * @throws IOException if that is not possible; the sentence names the folder and the reason
   */
  public static List<Path> create(Path folder) throws IOException {
    Objects.requireNonNull(folder, "folder");
    List<Path> missing = missing(folder);
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw FileFailure.noFolder(folder, e);
    }
    if (!Files.isDirectory(folder)) {
      // Of none/../new Java makes new, which that name does not lead to, since there is no "none".
      removeEmpty(missing);
      throw FileFailure.noFolder(folder, new NoSuchFileException(folder.toString()));
    }
    return missing;
  }

  /** Of a folder and those above it, the ones that are not there, the innermost first. */
  private static List<Path> missing(Path folder) {
    return Stream.iterate(folder.toAbsolutePath().normalize(), Objects::nonNull, Path::getParent)
        .takeWhile(above -> Files.notExists(above, LinkOption.NOFOLLOW_LINKS))
        .toList();
  }

  /**
   * Takes folders back that nothing was put into; others stay. That they stay where they cannot be
   * removed harms nobody: what led here matters more.
   *
   * @param innermostFirst as {@link #create} returns them
   */
  public static void removeEmpty(List<Path> innermostFirst) {
    try {
      for (Path folder : innermostFirst) {
        Files.deleteIfExists(folder);
      }
    } catch (IOException ignored) {
      // Something is in it, so that those around it are not empty, either.
      return;
    }
  }

  /**
   * Removes a folder and all that it holds; links are removed, and what they lead to is left alone.
   *
   * @param folder to remove; need not exist
   * @throws IOException if something of it cannot be removed
   */
  public static void removeAll(Path folder) throws IOException {
    if (Files.notExists(folder)) {
      return;
    }
    List<Path> innermostFirst;
    try (Stream<Path> found = Files.walk(folder)) {
      innermostFirst = found.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : innermostFirst) {
      Files.deleteIfExists(path);
    }
  }

  /**
   * Fails now where {@link #create}, or writing into the folder, would fail later. Leaves nothing
   * behind.
   *
   * @param folder to make or write into later
   * @throws IOException if that is not possible; the sentence names the folder and the reason
   */
  public static void requireWritable(Path folder) throws IOException {
    Objects.requireNonNull(folder, "folder");
    Path existing = folder.toAbsolutePath().normalize();
    for (Path missing : missing(folder)) {
      // Of Windows' roots there may be none.
      existing = Objects.requireNonNullElse(missing.getParent(), missing);
    }
    try {
      if (!Files.isDirectory(existing)) {
        throw new FileAlreadyExistsException(existing.toString());
      }
      Path place = existing;
      AtomicFile.unbroken(() -> Files.delete(Files.createTempFile(place, ".ddpm4j-", ".tmp")));
    } catch (IOException e) {
      throw Files.isDirectory(folder)
          ? FileFailure.closedFolder(folder, e)
          : FileFailure.noFolder(folder, e);
    }
  }
}
