package org.ddpm4j.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Files that appear whole or not at all, whatever happens to the process or the machine. */
final class AtomicFile {

  private AtomicFile() {}

  /** Writes a file, and the folders it is in. */
  static void write(Path file, byte[] bytes) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    try {
      Files.createDirectories(folder);
      // In the same folder, because a rename is atomic only within one file system.
      Path partial = Files.createTempFile(folder, file.getFileName().toString(), ".partial");
      try {
        try (FileChannel channel = FileChannel.open(partial, StandardOpenOption.WRITE)) {
          ByteBuffer rest = ByteBuffer.wrap(bytes);
          while (rest.hasRemaining()) {
            channel.write(rest);
          }
          channel.force(true);
        }
        Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(partial);
      }
    } catch (FileSystemException e) {
      throw new IOException(file + " cannot be written: " + reason(e) + ".", e);
    }
  }

  private static String reason(FileSystemException e) {
    return e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
  }
}
