package org.ddpm4j.io;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;

/**
 * A folder that one process at a time works in. The operating system holds the lock, so that it
 * ends with its process, however that ends; the file that is left then stands in nobody's way.
 */
public final class FolderLock implements Closeable {

  private static final String FILE = ".ddpm4j-lock";

  private final Path file;
  private final FileChannel channel;
  private final Object identity;

  private FolderLock(Path file, FileChannel channel, Object identity) {
    this.file = file;
    this.channel = channel;
    this.identity = identity;
  }

  /**
   * Takes the lock of a folder.
   *
   * @param folder that exists and may be written to
   * @return the lock, or empty where another process, or another part of this one, has it
   * @throws IOException if the folder cannot be written to, or its file system has no locks
   */
  public static Optional<FolderLock> tryLock(Path folder) throws IOException {
    Path file = folder.resolve(FILE);
    while (true) {
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      Object opened = identity(file);
      boolean kept = false;
      try {
        FileLock lock = channel.tryLock();
        if (lock == null) {
          return Optional.empty();
        }
        // Whoever had it before may have removed the file since it was opened.
        if (opened != null && opened.equals(identity(file))) {
          kept = true;
          return Optional.of(new FolderLock(file, channel, opened));
        }
      } catch (OverlappingFileLockException e) {
        return Optional.empty();
      } finally {
        if (!kept) {
          channel.close();
        }
      }
    }
  }

  /** Which file it is, or null if there is none. */
  private static Object identity(Path file) throws IOException {
    try {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      return attributes.fileKey() == null ? attributes.creationTime() : attributes.fileKey();
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  /**
   * Whether the folder is where it was when it was locked: neither moved nor deleted, nor is there
   * another in its place.
   *
   * @return false if the lock's file is no longer found there
   * @throws IOException if the folder cannot be read
   */
  public boolean isInPlace() throws IOException {
    return identity.equals(identity(file));
  }

  /** Gives the folder back, without a trace where it is still in its place. */
  @Override
  public void close() throws IOException {
    try {
      if (isInPlace()) {
        Files.deleteIfExists(file);
      }
    } finally {
      channel.close();
    }
  }
}
