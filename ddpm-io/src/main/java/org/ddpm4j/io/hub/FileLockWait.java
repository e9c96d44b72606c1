package org.ddpm4j.io.hub;

import java.io.Closeable;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.ddpm4j.io.FileFailure;

/** A lock for which threads and processes wait. The file stays, as Python leaves it. */
final class FileLockWait implements Closeable {

  private static final long POLL_MILLIS = 50;

  private final FileChannel channel;

  private FileLockWait(FileChannel channel) {
    this.channel = channel;
  }

  static FileLockWait lock(Path file) throws IOException {
    FileChannel channel;
    try {
      channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw FileFailure.unwritable(file, e);
    }
    try {
      while (true) {
        // Within a process, locks do not wait for each other but fail.
        try {
          FileLock lock = channel.tryLock();
          if (lock != null) {
            return new FileLockWait(channel);
          }
        } catch (OverlappingFileLockException e) {
          // Another thread has it.
        }
        Thread.sleep(POLL_MILLIS);
      }
    } catch (InterruptedException e) {
      channel.close();
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("The download was interrupted.");
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
