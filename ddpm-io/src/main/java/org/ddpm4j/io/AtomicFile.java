package org.ddpm4j.io;

import java.io.BufferedOutputStream;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.UnaryOperator;

/**
 * Writes files that appear whole or not at all.
 *
 * <p>The content goes to a temporary file in the target's folder, whose name begins with {@code .}
 * and ends with {@code .tmp}; it is forced to the disk and renamed over the target in one step, and
 * the folder is forced to the disk where the system allows that. Whatever fails on the way (the
 * content, a full disk, a missing folder), the file that was there before stays as it was and the
 * temporary file is removed. Only a killed process can leave a temporary file behind.
 *
 * <p>A symbolic link at the target is followed: the file that it names is replaced, or made. What
 * is no regular file, such as a device or a pipe, is never replaced. A thread that has been
 * interrupted can still write, so that a training run can save its state when it is stopped.
 */
public final class AtomicFile {

  private static final String PREFIX = ".ddpm4j-";
  private static final String SUFFIX = ".tmp";

  /** No write pauses for so long. */
  private static final Duration ABANDONED = Duration.ofDays(1);

  private static final int BUFFER_BYTES = 1 << 16;

  /** As many as Linux follows. */
  private static final int MAX_LINKS = 40;

  /** Read by who writes a file, so that who ends the program can wait for all of them. */
  private static final ReentrantReadWriteLock WRITES = new ReentrantReadWriteLock();

  private AtomicFile() {}

  /**
   * Waits until the files that are being written are whole, and holds up for ever who would begin
   * another. For programs that are ending: in a shutdown hook, so that a signal leaves no temporary
   * file behind. Whoever still wants to write while the program ends cannot use it.
   */
  public static void finishWrites() {
    WRITES.writeLock().lock();
  }

  @FunctionalInterface
  interface Write {
    void run() throws IOException;
  }

  /** Does what makes a temporary file and takes it away again. */
  static void unbroken(Write write) throws IOException {
    WRITES.readLock().lock();
    try {
      write.run();
    } finally {
      WRITES.readLock().unlock();
    }
  }

  /**
   * Writes what {@code content} puts into the stream. The content may close the stream or leave it
   * open.
   *
   * @param target the file to create or replace; its folder must exist
   * @param content writes the bytes of the file, in the calling thread
   * @throws IOException if the file cannot be written, with a sentence that names the target and
   *     the JDK's exception as its cause; an exception that {@code content} itself throws passes
   *     through unchanged
   */
  public static void write(Path target, IoConsumer<? super OutputStream> content)
      throws IOException {
    write(target, content, UnaryOperator.identity());
  }

  /**
   * Writes bytes.
   *
   * @param target the file to create or replace; its folder must exist
   * @param content all bytes of the file
   * @throws IOException as {@link #write} does
   */
  public static void writeBytes(Path target, byte[] content) throws IOException {
    Objects.requireNonNull(content, "content");
    write(target, out -> out.write(content));
  }

  /**
   * Writes text in UTF-8.
   *
   * @param target the file to create or replace; its folder must exist
   * @param content the whole text of the file
   * @throws IOException as {@link #write} does
   */
  public static void writeString(Path target, String content) throws IOException {
    writeBytes(target, content.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Fails now where {@link #write} would fail later, so that nobody works for hours on what then
   * has no place: if a folder or a device is in the way, or the target's folder is missing or may
   * not be written to. Leaves nothing behind, and clears the folder of the temporary files that
   * processes killed more than a day ago have left there.
   *
   * @param target the file to create or replace later
   * @throws IOException with the sentence that {@link #write} would end in
   */
  public static void requireWritable(Path target) throws IOException {
    Objects.requireNonNull(target, "target");
    Path file = destination(target);
    unbroken(() -> deleteIfPossible(createTemporary(file.getParent(), target)));
    removeAbandoned(file.getParent());
  }

  /** What is younger may belong to another process that is writing it now. */
  private static void removeAbandoned(Path folder) {
    Instant abandoned = Instant.now().minus(ABANDONED);
    try (DirectoryStream<Path> unfinished = unfinished(folder)) {
      for (Path file : unfinished) {
        if (Files.getLastModifiedTime(file).toInstant().isBefore(abandoned)) {
          deleteIfPossible(file);
        }
      }
    } catch (IOException | DirectoryIteratorException ignored) {
      // Somebody else's folder may be written to but not listed; nothing depends on this.
      return;
    }
  }

  /** Whether a file of this name is one that a killed process has left. */
  static boolean isUnfinished(String name) {
    return name.startsWith(PREFIX) && name.endsWith(SUFFIX);
  }

  private static DirectoryStream<Path> unfinished(Path folder) throws IOException {
    return Files.newDirectoryStream(folder, PREFIX + "*" + SUFFIX);
  }

  /**
   * Removes the temporary files that killed processes have left in a folder. Nobody else may be
   * writing there.
   *
   * @param folder where to look; need not exist
   * @throws IOException if it cannot be read, or a file cannot be removed
   */
  public static void removeUnfinished(Path folder) throws IOException {
    Objects.requireNonNull(folder, "folder");
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (DirectoryStream<Path> unfinished = unfinished(folder)) {
      for (Path file : unfinished) {
        Files.deleteIfExists(file);
      }
    }
  }

  /** As {@link #write}, with a layer around the disk in which tests let it fail. */
  static void write(
      Path target, IoConsumer<? super OutputStream> content, UnaryOperator<OutputStream> disk)
      throws IOException {
    Objects.requireNonNull(target, "target");
    Objects.requireNonNull(content, "content");
    Path destination = destination(target);
    Path folder = destination.getParent();
    unbroken(() -> replace(target, destination, folder, content, disk));
    forceIfPossible(folder);
  }

  private static void replace(
      Path target,
      Path destination,
      Path folder,
      IoConsumer<? super OutputStream> content,
      UnaryOperator<OutputStream> disk)
      throws IOException {
    Path temporary = createTemporary(folder, target);
    try {
      // Not a FileChannel: an interrupted thread cannot write to one.
      try (FileOutputStream file = new FileOutputStream(temporary.toFile())) {
        var out = new TargetStream(target, disk.apply(file));
        try {
          content.accept(out);
          out.flush();
        } catch (IOException | RuntimeException e) {
          // Encoders wrap the disk's failure in words of their own.
          if (out.failed()) {
            throw out.failure();
          }
          throw e;
        }
        out.attempt(() -> file.getFD().sync());
      } catch (FileNotFoundException e) {
        throw FileFailure.unwritable(target, e);
      }
      try {
        Files.move(temporary, destination, StandardCopyOption.ATOMIC_MOVE);
      } catch (IOException e) {
        throw FileFailure.unwritable(target, e);
      }
    } finally {
      deleteIfPossible(temporary);
    }
  }

  /** Where the file really lies, absolute; what is there may be replaced. */
  private static Path destination(Path target) throws IOException {
    Path file = target.toAbsolutePath();
    try {
      for (int links = 0; Files.isSymbolicLink(file); links++) {
        if (links == MAX_LINKS) {
          throw new IOException(
              Text.format(
                  "The file %s could not be written because it is a link that leads in a circle; choose another path.",
                  target));
        }
        file = file.resolveSibling(Files.readSymbolicLink(file));
      }
    } catch (FileSystemException e) {
      throw FileFailure.unwritable(target, e);
    }
    if (Files.isDirectory(file)) {
      throw new IOException(
          Text.format(
              "The file %s could not be written because a folder of that name exists; choose another path.",
              target));
    }
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      throw new IOException(
          Text.format(
              "The file %s could not be written because it is a device or a pipe, which no file may replace; choose another path.",
              target));
    }
    if (file.getParent() == null) {
      throw new IOException(
          Text.format(
              "The file %s could not be written because it has no name; choose another path.",
              target));
    }
    return file;
  }

  private static Path createTemporary(Path folder, Path target) throws IOException {
    Path temporary = folder.resolve(PREFIX + UUID.randomUUID() + SUFFIX);
    try {
      // Not Files.createTempFile: its files can be read by their owner alone.
      return Files.createFile(temporary);
    } catch (IOException e) {
      throw FileFailure.unwritable(target, e);
    }
  }

  /** A temporary file that stays behind harms nobody; the failure that led here matters more. */
  private static void deleteIfPossible(Path temporary) {
    try {
      Files.deleteIfExists(temporary);
    } catch (IOException ignored) {
      return;
    }
  }

  /** Makes the rename outlive a power failure; Windows cannot open a folder for that. */
  private static void forceIfPossible(Path folder) {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException ignored) {
      return;
    }
  }

  @FunctionalInterface
  private interface DiskAction {
    void run() throws IOException;
  }

  /**
   * What the content writes to. It words the disk's failures, and repeats the first one in every
   * later call, because some writers (a {@link java.io.PrintStream}, say) swallow exceptions. Each
   * time it is another exception, because a try statement whose resource fails with the exception
   * that it is about to throw ends in {@code Self-suppression not permitted}.
   */
  private static final class TargetStream extends OutputStream {

    private final Path target;
    private final OutputStream out;
    private IOException disksFailure;

    TargetStream(Path target, OutputStream disk) {
      this.target = target;
      this.out = new BufferedOutputStream(disk, BUFFER_BYTES);
    }

    @Override
    public void write(int b) throws IOException {
      attempt(() -> out.write(b));
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      attempt(() -> out.write(bytes, offset, length));
    }

    @Override
    public void flush() throws IOException {
      attempt(out::flush);
    }

    /** The file is closed only after it has been forced to the disk. */
    @Override
    public void close() throws IOException {
      flush();
    }

    private void attempt(DiskAction action) throws IOException {
      if (failed()) {
        throw failure();
      }
      try {
        action.run();
      } catch (IOException e) {
        disksFailure = e;
        throw failure();
      }
    }

    boolean failed() {
      return disksFailure != null;
    }

    IOException failure() {
      return FileFailure.unwritable(target, disksFailure);
    }
  }
}
