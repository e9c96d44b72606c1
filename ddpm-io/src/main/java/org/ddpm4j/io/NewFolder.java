package org.ddpm4j.io;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * A folder for files that belong together, which was not there before or had nothing in it. What
 * fails while it is filled is taken back, so that the next attempt is not refused for what the
 * first has left.
 *
 * <p>Taken back are the files that {@link AtomicFile} has written into the folder in this process,
 * and the folders that {@link Folders#create} has made there, and nothing else: what others put
 * there meanwhile is theirs, and so is a file that they have changed or replaced.
 */
public final class NewFolder implements Closeable {

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

  /** Those that are being filled. */
  private static final Set<NewFolder> OPEN = ConcurrentHashMap.newKeySet();

  /** Without links, since the same folder may be named in several ways. */
  private final Path folder;

  /** Folders that were made, this one and those above it, too. */
  private final Set<Path> made = new HashSet<>();

  /** What was written, and which file it was. */
  private final Map<Path, Object> written = new HashMap<>();

  private NewFolder(Path folder) {
    this.folder = folder;
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
   * @return the folder, to be filled, and to be closed when it is
   * @throws IOException if that is not possible; the sentence names the folder and the reason
   */
  public static NewFolder make(Path folder) throws IOException {
    Objects.requireNonNull(folder, "folder");
    List<Path> missing = missing(folder);
    Path direct = folder.toAbsolutePath().normalize();
    List<Path> missingDirectly = missing(direct);
    Folders.create(folder);
    try {
      NewFolder begun = new NewFolder(folder.toRealPath());
      begun.addMade(missing);
      OPEN.add(begun);
      return begun;
    } catch (NoSuchFileException e) {
      // Of none/../new Java makes new, which this name does not lead to, since there is no "none".
      NewFolder begun = new NewFolder(direct);
      begun.made.addAll(missingDirectly);
      begun.close();
      throw FileFailure.noFolder(folder, e);
    }
  }

  /**
   * Makes a folder and fills it.
   *
   * @param folder that is {@linkplain #isUnused unused}
   * @param filling writes the files; where it fails, what it has written is removed
   * @throws IOException if the folder cannot be made, or the filling throws it
   */
  public static void fill(Path folder, Filling filling) throws IOException {
    try (NewFolder begun = make(folder)) {
      try {
        filling.fill();
      } catch (IOException | RuntimeException | Error e) {
        begun.undo(e);
        throw e;
      }
    }
  }

  /** The folders that {@link Folders#create} is about to make of one, in the words of its path. */
  static List<Path> missing(Path folder) {
    List<Path> missing = new ArrayList<>();
    for (Path above = folder.toAbsolutePath();
        above != null && Files.notExists(above, LinkOption.NOFOLLOW_LINKS);
        above = above.getParent()) {
      String name = String.valueOf(above.getFileName());
      // What these lead to is there already, or is the parent of another one.
      if (!name.equals(".") && !name.equals("..")) {
        missing.add(above);
      }
    }
    return missing;
  }

  /** Whether somebody wants to hear of what is written. */
  static boolean isAnyOpen() {
    return !OPEN.isEmpty();
  }

  /** Takes note of folders that were made. */
  static void noteMade(List<Path> folders) throws IOException {
    for (Path path : folders) {
      Optional<NewFolder> open = around(path.toRealPath());
      if (open.isPresent()) {
        open.get().addMade(List.of(path));
      }
    }
  }

  /** The innermost that is being filled: one in another has its files for itself. */
  private static Optional<NewFolder> around(Path real) {
    return OPEN.stream()
        .filter(open -> real.startsWith(open.folder))
        .max(Comparator.comparingInt(open -> open.folder.getNameCount()));
  }

  private synchronized void addMade(List<Path> folders) throws IOException {
    for (Path path : folders) {
      made.add(path.toRealPath());
    }
  }

  /**
   * Takes note of a file that was written.
   *
   * @param file where it is now
   * @param identity which it is, see {@link #identity}
   */
  static void noteWritten(Path file, Object identity) throws IOException {
    Path real = file.getParent().toRealPath().resolve(file.getFileName());
    around(real).ifPresent(open -> open.addWritten(real, identity));
  }

  private synchronized void addWritten(Path file, Object identity) {
    written.put(file, identity);
  }

  /** Which file it is, and in what state; empty if there is none. */
  static Optional<Object> identity(Path file) throws IOException {
    try {
      BasicFileAttributes attributes =
          Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      return Optional.of(
          List.of(
              Optional.ofNullable(attributes.fileKey()),
              attributes.size(),
              attributes.lastModifiedTime()));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
  }

  /**
   * Removes what was written, as {@link #undo()} does.
   *
   * @param why a failure, to which one of the removal is added
   */
  public void undo(Throwable why) {
    try {
      undo();
    } catch (IOException | RuntimeException e) {
      why.addSuppressed(e);
    }
  }

  /**
   * Removes the files that were written and are still what they were, and the folders that were
   * made and have nothing else in them.
   *
   * @throws IOException if something cannot be removed
   */
  public synchronized void undo() throws IOException {
    for (Map.Entry<Path, Object> file : written.entrySet()) {
      if (identity(file.getKey()).filter(file.getValue()::equals).isPresent()) {
        Files.deleteIfExists(file.getKey());
      }
    }
    written.clear();
    removeEmpty();
  }

  private void removeEmpty() throws IOException {
    List<Path> innermostFirst =
        made.stream().sorted(Comparator.comparingInt(Path::getNameCount).reversed()).toList();
    for (Path path : innermostFirst) {
      try {
        Files.deleteIfExists(path);
      } catch (DirectoryNotEmptyException e) {
        // Of others; of a lock, which is given back before the folder is closed.
        continue;
      }
    }
  }

  /**
   * Takes note of nothing any more. Where nothing was written, or that was undone, the folders that
   * were made are removed again, unless something is in them.
   */
  @Override
  public synchronized void close() throws IOException {
    OPEN.remove(this);
    if (written.isEmpty()) {
      removeEmpty();
    }
  }
}
