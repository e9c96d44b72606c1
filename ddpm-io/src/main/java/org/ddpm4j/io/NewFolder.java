package org.ddpm4j.io;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A folder for files that belong together, which was not there before or had nothing in it. They
 * are written into a folder within it that nobody else knows, and go to their places when all are
 * there. What fails on the way leaves the folder as it was, so that the next attempt is not refused
 * for what the first has left; what others put there meanwhile is left alone.
 *
 * <p>A killed process leaves the folder within. As long as a process fills it, it has the {@link
 * FolderLock} of it, so that the next one that writes there knows which to remove.
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
   * @throws InterruptedIOException if the thread is interrupted meanwhile, of whom the caller no
   *     longer wants the folder; one that has been interrupted before can still fill it, as it can
   *     write an {@link AtomicFile}
   * @throws IOException if the folder cannot be made, one of the names is taken by now, or the
   *     filling throws it
   */
  public static void fill(Path folder, String last, Filling filling) throws IOException {
    Objects.requireNonNull(last, "last");
    boolean wasInterrupted = Thread.currentThread().isInterrupted();
    List<Path> made = Folders.create(folder);
    try {
      removeAbandoned(folder);
      try (Unfinished unfinished = Unfinished.in(folder)) {
        filling.fill(unfinished.path);
        if (!wasInterrupted && Thread.currentThread().isInterrupted()) {
          throw new InterruptedIOException(
              Text.format("Writing the folder %s was interrupted.", folder));
        }
        moveAll(unfinished.path, folder, last);
      }
    } catch (IOException | RuntimeException | Error e) {
      Folders.removeEmpty(made);
      throw e;
    }
  }

  /**
   * Removes what processes have left in a folder that were killed while they filled it. What
   * another one is filling now stays, and so does what cannot be removed: nothing depends on this.
   *
   * @param folder where to look; need not exist
   */
  public static void removeAbandoned(Path folder) {
    Objects.requireNonNull(folder, "folder");
    try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, UNFINISHED + "*")) {
      for (Path unfinished : found) {
        Optional<FolderLock> lock = FolderLock.tryLock(unfinished);
        if (lock.isPresent()) {
          new Unfinished(unfinished, lock).close();
        }
      }
    } catch (IOException | DirectoryIteratorException ignored) {
      return;
    }
  }

  /** A folder that is being filled. */
  private record Unfinished(Path path, Optional<FolderLock> lock) implements Closeable {

    /** Whoever has found it before it was locked removes it; then another one is made. */
    static Unfinished in(Path folder) throws IOException {
      while (true) {
        Path path = folder.resolve(UNFINISHED + UUID.randomUUID());
        try {
          Files.createDirectory(path);
        } catch (IOException e) {
          throw FileFailure.closedFolder(folder, e);
        }
        try {
          Optional<FolderLock> lock = FolderLock.tryLock(path);
          if (lock.isPresent()) {
            return new Unfinished(path, lock);
          }
        } catch (NoSuchFileException e) {
          continue;
        } catch (IOException e) {
          // Where there are no locks nobody else gets one, either.
          return new Unfinished(path, Optional.empty());
        }
      }
    }

    /** The lock's file goes last, so that nobody else removes what is in here meanwhile. */
    @Override
    public void close() throws IOException {
      try {
        try (Stream<Path> files = Files.list(path)) {
          for (Path file : files.filter(file -> lock.isEmpty() || !isLock(file)).toList()) {
            Folders.removeAll(file);
          }
        }
      } finally {
        if (lock.isPresent()) {
          lock.get().close();
        }
      }
      try {
        Files.deleteIfExists(path);
      } catch (DirectoryNotEmptyException ignored) {
        // Another process has taken the lock, and removes it.
        return;
      }
    }
  }

  private static boolean isLock(Path file) {
    return file.getFileName().toString().equals(FolderLock.FILE);
  }

  private static void moveAll(Path from, Path to, String last) throws IOException {
    List<Path> names;
    try (Stream<Path> files = Files.list(from)) {
      names =
          files
              .filter(file -> !isLock(file))
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
