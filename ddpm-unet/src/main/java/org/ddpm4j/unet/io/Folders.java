package org.ddpm4j.unet.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Folders to write to. */
public final class Folders {

  private Folders() {}

  /**
   * Makes a folder and those above it, unless they exist.
   *
   * @param folder to make
   * @throws IOException if that is not possible; the sentence names the folder and the reason
   */
  public static void create(Path folder) throws IOException {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw FileFailure.noFolder(folder, e);
    }
  }
}
