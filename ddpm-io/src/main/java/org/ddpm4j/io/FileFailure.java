package org.ddpm4j.io;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** Turns the terse exceptions of the JDK into whole sentences that name the file. */
public final class FileFailure {

  /** How Linux, macOS and Windows word a full disk; the JDK has no exception of its own for it. */
  private static final List<String> FULL_DISK =
      List.of(
          "No space left on device",
          "Disk quota exceeded",
          "There is not enough space on the disk");

  private FileFailure() {}

  /**
   * The sentence for a file that cannot be read.
   *
   * @param file which one
   * @param cause the JDK's exception
   * @return an exception with the sentence and the cause
   */
  public static IOException unreadable(Path file, IOException cause) {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(cause, "cause");
    String sentence;
    if (cause instanceof NoSuchFileException) {
      sentence = Text.format("The file %s does not exist; check its path.", file);
    } else if (cause instanceof AccessDeniedException) {
      sentence =
          Text.format(
              "The file %s may not be read by this user; change its permissions or choose another file.",
              file);
    } else if (cause instanceof ClosedByInterruptException) {
      sentence =
          Text.format("The file %s could not be read because its thread was interrupted.", file);
    } else {
      sentence =
          Text.format(
              "The file %s could not be read (%s); check the disk it is on.", file, reason(cause));
    }
    return new IOException(sentence, cause);
  }

  /**
   * The sentence for a file that cannot be written.
   *
   * @param file which one
   * @param cause the JDK's exception
   * @return an exception with the sentence and the cause
   */
  public static IOException unwritable(Path file, IOException cause) {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(cause, "cause");
    Path folder = file.toAbsolutePath().getParent();
    String reason = reason(cause);
    String why;
    if (FULL_DISK.stream().anyMatch(reason::contains)) {
      why = Text.format("the disk is full (%s); free some space and try again", reason);
    } else if (Files.notExists(folder)) {
      why =
          Text.format("its folder %s does not exist; create the folder or choose another", folder);
    } else if (!Files.isDirectory(folder)) {
      why = Text.format("%s is not a folder; choose another path", folder);
    } else if (cause instanceof AccessDeniedException) {
      why =
          Text.format(
              "this user may not write to its folder %s; change the permissions or choose another folder",
              folder);
    } else {
      why =
          Text.format(
              "the system refused it (%s); check the disk or choose another folder", reason);
    }
    return new IOException(
        Text.format("The file %s could not be written because %s.", file, why), cause);
  }

  static IOException noFolder(Path folder, IOException cause) {
    return new IOException(
        Text.format("The folder %s cannot be made because %s.", folder, folderRefused(cause)),
        cause);
  }

  /** Of a folder that exists. */
  static IOException closedFolder(Path folder, IOException cause) {
    return new IOException(
        Text.format(
            "Nothing can be written into the folder %s because %s.", folder, folderRefused(cause)),
        cause);
  }

  private static String folderRefused(IOException cause) {
    String reason = reason(cause);
    if (FULL_DISK.stream().anyMatch(reason::contains)) {
      return Text.format("the disk is full (%s); free some space and try again", reason);
    }
    if (cause instanceof FileAlreadyExistsException) {
      return "there is a file in its place; choose another path";
    }
    if (cause instanceof AccessDeniedException) {
      return "this user may not write there; change the permissions or choose another path";
    }
    return Text.format("the system refused it (%s); choose another path", reason);
  }

  private static String reason(IOException cause) {
    String reason =
        cause instanceof FileSystemException failure ? failure.getReason() : cause.getMessage();
    if (reason == null && cause instanceof NoSuchFileException) {
      // Of /proc, for example, which has a folder and takes no files.
      return "no file can be made there";
    }
    return reason != null ? reason : cause.getClass().getSimpleName();
  }
}
