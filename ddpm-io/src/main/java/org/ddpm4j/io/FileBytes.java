package org.ddpm4j.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** Bytes from places of an open file. */
public final class FileBytes {

  private FileBytes() {}

  /**
   * Fills what remains of a buffer.
   *
   * @param channel of the file
   * @param file its name, for the sentence
   * @param buffer to fill
   * @param position in the file of what comes first
   * @return whether the file was long enough
   * @throws IOException if it cannot be read, with a sentence
   */
  public static boolean fill(FileChannel channel, Path file, ByteBuffer buffer, long position)
      throws IOException {
    long start = position - buffer.position();
    try {
      while (buffer.hasRemaining()) {
        if (channel.read(buffer, start + buffer.position()) < 0) {
          return false;
        }
      }
    } catch (IOException e) {
      throw FileFailure.unreadable(file, e);
    }
    return true;
  }
}
