package org.ddpm4j.io;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * A folder for files that belong together, which was not there before or had nothing in it. What
 * fails while it is filled leaves it as it was, so that the next attempt is not refused for what
 * the first has left.
 */
public final class NewFolder {

  /** What is done in a new folder. */
  @FunctionalInterface
  public interface Filling {
    /**
     * Writes the files.
     *
     * @throws IOException if that fails
     */
    void fill() throws IOException;
  }

  private final Path folder;

  /** Those that were made, the innermost first. */
  private final List<Path> made;

  private NewFolder(Path folder, List<Path> made) {
    this.folder = folder;
    this.made = made;
  }

  /**
   * Whether a folder may be made or is free to be filled: nothing is in it but what processes leave
   * that are killed before they have written anything (temporary files of {@link AtomicFile}, the
   * file of a {@link FolderLock}).
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
          .allMatch(name -> AtomicFile.isUnfinished(name) || name.equals(FolderLock.FILE));
    }
  }

  /**
   * Makes a folder and those above it, unless they exist.
   *
   * @param folder that is {@linkplain #isUnused unused}
   * @return the folder, to be filled
   * @throws IOException if that is not possible; the sentence names the folder and the reason
   */
  public static NewFolder make(Path folder) throws IOException {
    Objects.requireNonNull(folder, "folder");
    List<Path> missing = new ArrayList<>();
    for (Path above = folder.toAbsolutePath().normalize();
        above != null && Files.notExists(above, LinkOption.NOFOLLOW_LINKS);
        above = above.getParent()) {
      missing.add(above);
    }
    Folders.create(folder);
    return new NewFolder(folder, missing);
  }

  /**
   * Makes a folder and fills it.
   *
   * @param folder that is {@linkplain #isUnused unused}
   * @param filling writes the files; where it fails, the folder is as before
   * @throws IOException if the folder cannot be made, or the filling throws it
   */
  public static void fill(Path folder, Filling filling) throws IOException {
    NewFolder begun = make(folder);
    try {
      filling.fill();
    } catch (IOException | RuntimeException | Error e) {
      begun.undo(e);
      throw e;
    }
  }

  private void undo(Throwable why) {
    try {
      undo();
    } catch (IOException e) {
      why.addSuppressed(e);
    }
  }

  /**
   * Removes all that is in the folder, and the folders that were made, unless others use those
   * above it by now. Links are removed, and what they lead to is left alone.
   *
   * @throws IOException if something cannot be removed
   */
  public void undo() throws IOException {
    if (Files.notExists(folder)) {
      return;
    }
    Path real = folder.toRealPath();
    List<Path> all;
    try (Stream<Path> found = Files.walk(real)) {
      all = found.filter(path -> !path.equals(real)).sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : all) {
      Files.deleteIfExists(path);
    }
    try {
      for (Path path : made) {
        Files.deleteIfExists(path);
      }
    } catch (DirectoryNotEmptyException e) {
      // Of others.
      return;
    }
  }
}
