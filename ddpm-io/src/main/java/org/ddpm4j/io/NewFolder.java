package org.ddpm4j.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A folder for files that belong together, which was not there before or had nothing in it. They
 * are written into a folder within it that nobody else knows, and go to their places when all are
 * there. What fails on the way leaves the folder as it was, so that the next attempt is not refused
 * for what the first has left; what others put there meanwhile is left alone.
 */
public final class NewFolder {

  private static final String UNFINISHED = ".ddpm4j-unfinished-";

  private NewFolder() {}

  /** What is done in a new folder. */
  @FunctionalInterface
  public interface Filling {
    /**
     * Writes the files.
     *
     * @param folder where to
     * @throws IOException if that fails
     */
    void fill(Path folder) throws IOException;
  }

  /**
   * Whether a folder may be made or is free to be filled: nothing is in it but what processes leave
   * that are killed before they have written anything (temporary files of {@link AtomicFile}, the
   * file of a {@link FolderLock}, the folder that {@link #fill} writes into).
   *
   * @param folder to look into
   * @return true also where there is no folder
   * @throws IOException if it cannot be read
   */
  public static boolean isUnused(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return true;
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(file -> file.getFileName().toString())
          .allMatch(
              name ->
                  AtomicFile.isUnfinished(name)
                      || name.equals(FolderLock.FILE)
                      || name.startsWith(UNFINISHED));
    }
  }

  /**
   * Makes a folder and fills it.
   *
   * @param folder that is {@linkplain #isUnused unused}
   * @param last the name of the file by which others know that the folder is whole
   * @param filling writes that file and the others
   * @throws IOException if the folder cannot be made, one of the names is taken by now, or the
   *     filling throws it
   */
  public static void fill(Path folder, String last, Filling filling) throws IOException {
    Objects.requireNonNull(last, "last");
    List<Path> made = Folders.create(folder);
    try {
      Path unfinished = folder.resolve(UNFINISHED + UUID.randomUUID());
      try {
        Files.createDirectory(unfinished);
      } catch (IOException e) {
        throw FileFailure.closedFolder(folder, e);
      }
      try {
        filling.fill(unfinished);
        moveAll(unfinished, folder, last);
      } finally {
        Folders.removeAll(unfinished);
      }
    } catch (IOException | RuntimeException | Error e) {
      Folders.removeEmpty(made);
      throw e;
    }
  }

  private static void moveAll(Path from, Path to, String last) throws IOException {
    List<Path> names;
    try (Stream<Path> files = Files.list(from)) {
      names =
          files
              .map(Path::getFileName)
              .sorted(Comparator.comparing(name -> name.toString().equals(last)))
              .toList();
    }
    Deque<Path> moved = new ArrayDeque<>();
    try {
      for (Path name : names) {
        move(from.resolve(name), to.resolve(name));
        moved.push(name);
      }
    } catch (IOException e) {
      for (Path name : moved) {
        move(to.resolve(name), from.resolve(name));
      }
      throw e;
    }
  }

  /** Replaces nothing. */
  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to);
    } catch (IOException e) {
      throw FileFailure.unwritable(to, e);
    }
  }
}
