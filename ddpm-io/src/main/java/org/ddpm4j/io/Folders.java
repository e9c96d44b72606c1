package org.ddpm4j.io;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

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
    Objects.requireNonNull(folder, "folder");
    try {
      List<Path> missing = NewFolder.isAnyOpen() ? NewFolder.missing(folder) : List.of();
      Files.createDirectories(folder);
      NewFolder.noteMade(missing);
    } catch (IOException e) {
      throw FileFailure.noFolder(folder, e);
    }
  }

  /**
   * Fails now where {@link #create}, or writing into the folder, would fail later. Leaves nothing
   * behind.
   *
   * @param folder to make or write into later
   * @throws IOException if that is not possible; the sentence names the folder and the reason
   */
  public static void requireWritable(Path folder) throws IOException {
    Objects.requireNonNull(folder, "folder");
    Path existing = folder.toAbsolutePath().normalize();
    while (existing.getParent() != null && Files.notExists(existing, LinkOption.NOFOLLOW_LINKS)) {
      existing = existing.getParent();
    }
    try {
      if (!Files.isDirectory(existing)) {
        throw new FileAlreadyExistsException(existing.toString());
      }
      Files.delete(Files.createTempFile(existing, ".ddpm4j-", ".tmp"));
    } catch (IOException e) {
      throw Files.isDirectory(folder)
          ? FileFailure.closedFolder(folder, e)
          : FileFailure.noFolder(folder, e);
    }
  }
}
