package org.ddpm4j.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A folder of the system's place for temporary files, which goes with all that it holds. */
public final class TemporaryFolder implements AutoCloseable {

  private final Path path;

  /**
   * Makes a folder that nobody else can read.
   *
   * @param prefix of its name
   * @throws IOException if there is no room or no permission for it
   */
  public TemporaryFolder(String prefix) throws IOException {
    path = Files.createTempDirectory(prefix);
  }

  /** {@return where it is} */
  public Path path() {
    return path;
  }

  /** Removes it and all that it holds; links are removed, and what they lead to is left alone. */
  @Override
  public void close() throws IOException {
    Folders.removeAll(path);
  }
}
