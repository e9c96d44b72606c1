package org.ddpm4j.cli.draw;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.FolderLock;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.Text;

/**
 * A folder with a file for each image, {@code 0000.png} and so on, and {@value SampleRecord#FILE},
 * which says what the images are of. Who finds the record of his own call there goes on with what
 * is missing; who finds that of another call, or pictures without one, is refused.
 */
final class SampleFolder implements AutoCloseable {

  private static final int LEAST_DIGITS = 4;
  private static final Pattern PICTURE = Pattern.compile("\\d{" + LEAST_DIGITS + ",}\\.png");

  private final Path path;
  private final int count;
  private final FolderLock lock;

  private SampleFolder(Path path, int count, FolderLock lock) {
    this.path = path;
    this.count = count;
    this.lock = lock;
  }

  /**
   * Fails now where {@link #open} would find a folder that is not this call's.
   *
   * @param path of the folder, which need not exist
   * @param call everything that decides what the images are
   * @throws BadInputException if there are images of another call, or nobody knows of which
   */
  private static void requireOwn(Path path, SampleRecord call) throws IOException {
    Path record = path.resolve(SampleRecord.FILE);
    Optional<String> picture = firstPicture(path);
    boolean isRecorded = Files.exists(record);
    if (picture.isPresent() && !isRecorded) {
      throw new BadInputException(
          "The folder %s holds %s but no %s, so that nobody knows of which call it is; name another folder by --output, or remove the pictures.",
          path, picture.get(), SampleRecord.FILE);
    }
    if (isRecorded) {
      AtomicFile.requireWritable(record);
    }
    if (picture.isEmpty()) {
      // The record of a call that ended before its first image was ready is of nothing.
      return;
    }
    SampleRecord found = SampleRecord.read(record);
    if (!found.equals(call)) {
      throw new BadInputException(
          "The folder %s holds images of another call (%s); name another folder by --output, or remove it.",
          path, found.differences(call));
    }
  }

  private static Optional<String> firstPicture(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return Optional.empty();
    }
    try (Stream<Path> files = Files.list(path)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> PICTURE.matcher(name).matches())
          .min(String::compareTo);
    }
  }

  /**
   * Takes a folder for this call alone.
   *
   * @param path of the folder; made if missing
   * @param facts of the call, everything that decides what the images are
   * @param count how many images the call wants
   * @throws BadInputException if there are images of another call, or another process draws here
   */
  static SampleFolder open(Path path, Map<String, String> facts, int count) throws IOException {
    Map<String, String> all = new TreeMap<>(facts);
    all.put("digits", Integer.toString(digits(count)));
    SampleRecord call = new SampleRecord(all);
    requireOwn(path, call);
    Folders.create(path);
    FolderLock lock =
        FolderLock.tryLock(path)
            .orElseThrow(
                () ->
                    new BadInputException(
                        "The folder %s is in use: another process draws into it; wait until that has ended, or name another folder by --output.",
                        path));
    boolean opened = false;
    try {
      // Another process may have drawn here meanwhile.
      requireOwn(path, call);
      AtomicFile.removeUnfinished(path);
      call.write(path.resolve(SampleRecord.FILE));
      opened = true;
      return new SampleFolder(path, count, lock);
    } finally {
      if (!opened) {
        lock.close();
      }
    }
  }

  private static int digits(int count) {
    return Math.max(LEAST_DIGITS, Integer.toString(count - 1).length());
  }

  private Path file(int image) {
    return path.resolve(Text.format("%0" + digits(count) + "d.png", image));
  }

  /** Whether an image has still to be drawn. */
  boolean isMissing(int image) {
    return !Files.exists(file(image));
  }

  /** How many images are there, of those that are wanted. */
  int present() {
    int there = 0;
    for (int i = 0; i < count; i++) {
      there += isMissing(i) ? 0 : 1;
    }
    return there;
  }

  /** How many more images are there than are wanted, of a call with a greater count. */
  long beyond() throws IOException {
    try (Stream<Path> files = Files.list(path)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> PICTURE.matcher(name).matches())
          .filter(name -> Long.parseLong(name.substring(0, name.indexOf('.'))) >= count)
          .count();
    }
  }

  /** Writes an image, unless it is there. */
  void write(int image, BufferedImage picture) throws IOException {
    if (isMissing(image)) {
      Images.writePng(picture, file(image));
    }
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }
}
