package org.ddpm4j.io;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * A folder that one process at a time works in. The operating system holds the lock, so that it
 * ends with its process, however that ends; the file that is left then stands in nobody's way.
 *
 * <p>Whoever gives the lock back removes the file, and marks it before. Others may have opened it
 * meanwhile, and get the lock of a file that is gone while the next one has that of another; by the
 * mark they see it, and look again. An empty file that is locked is always the one that is there.
 */
public final class FolderLock implements Closeable {

  static final String FILE = ".ddpm4j-lock";

  /** Of a file that is about to be removed: no longer empty. */
  private static final byte MARK = '-';

  /** A mark that stays so long is one whose process was killed before it had removed the file. */
  private static final int MOST_LOOKS = 100;

  private static final long PAUSE_NANOS = 1_000_000;

  /**
   * Files that this process has locked. They are not opened again: where locks are POSIX's, closing
   * any channel of a file gives back all that the process has of it.
   */
  private static final Set<Object> HELD = new HashSet<>();

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
    Objects.requireNonNull(folder, "folder");
    // A channel closes itself in a thread that is interrupted, as Ctrl-C interrupts drawing.
    boolean isInterrupted = Thread.interrupted();
    try {
      return tryFile(folder.resolve(FILE));
    } finally {
      if (isInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static Optional<FolderLock> tryFile(Path file) throws IOException {
    synchronized (HELD) {
      for (int looks = 1; ; looks++) {
        if (HELD.contains(identity(file))) {
          return Optional.empty();
        }
        FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        boolean kept = false;
        try {
          FileLock lock = channel.tryLock();
          if (lock == null) {
            return Optional.empty();
          }
          if (looks == MOST_LOOKS) {
            channel.truncate(0);
          }
          Object identity = identity(file);
          if (channel.size() == 0 && identity != null) {
            kept = HELD.add(identity);
            return Optional.of(new FolderLock(file, channel, identity));
          }
        } finally {
          if (!kept) {
            channel.close();
          }
        }
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    }
  }

  /** Which file it is, or null if there is none. */
  private static Object identity(Path file) throws IOException {
    try {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      return attributes.fileKey() == null
          ? List.of(file.toAbsolutePath(), attributes.creationTime())
          : attributes.fileKey();
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
    boolean isInterrupted = Thread.interrupted();
    synchronized (HELD) {
      try {
        if (isInPlace() && mark()) {
          Files.deleteIfExists(file);
        }
      } finally {
        channel.close();
        HELD.remove(identity);
        if (isInterrupted) {
          Thread.currentThread().interrupt();
        }
      }
    }
  }

  /** On a disk that is full there is no room for it, and the file stays. */
  private boolean mark() {
    try {
      return channel.write(ByteBuffer.wrap(new byte[] {MARK})) == 1;
    } catch (IOException e) {
      return false;
    }
  }
}
