package org.ddpm4j.studio.runs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.ddpm4j.data.ImageFile;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.Folders;
import org.ddpm4j.io.Text;

/**
 * Data sets of images that were uploaded, each a folder that {@code ddpm train --dataset folder}
 * reads: images, or one folder of images for each class. Names of files and folders are made here;
 * only a class keeps the name that it came with, if that is harmless. What the readers of data sets
 * cannot decode is refused.
 */
public final class ImageUploads {

  /** Images of a data set. */
  public static final int MOST_IMAGES = 20_000;

  /** Bytes of a data set. */
  public static final long MOST_BYTES = 512L << 20;

  /** Data sets. */
  public static final int MOST_DATA_SETS = 32;

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,59}");
  private static final Pattern CLASS =
      Pattern.compile("[\\p{L}\\p{N}](?:[\\p{L}\\p{N} ._-]{0,58}[\\p{L}\\p{N}_-])?");
  private static final Pattern EXTENSION =
      Pattern.compile(".*\\.(jpe?g|jpe|jfif|png|gif|bmp|tiff?|webp)", Pattern.CASE_INSENSITIVE);

  /** To which images are brought to see whether they can be: any size would do. */
  private static final ImageShape TRIAL = new ImageShape(3, 8, 8);

  private final Path folder;

  /** What was counted before, since counting takes a look at every file. */
  private final Map<String, DataSet> counted = new HashMap<>();

  /**
   * A data set.
   *
   * @param name that the uploader chose
   * @param images how many
   * @param bytes of their files
   */
  public record DataSet(String name, int images, long bytes) {}

  /**
   * Uploads to a folder.
   *
   * @param folder of data sets, which need not exist
   */
  public ImageUploads(Path folder) {
    this.folder = folder;
  }

  /**
   * Whether a text can be the name of a data set.
   *
   * @param name any text
   * @return true for up to 60 letters, digits, dots, dashes and underscores behind a letter or
   *     digit
   */
  public static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  /**
   * All data sets.
   *
   * @return in the order of their names
   * @throws IOException if a folder cannot be read
   */
  public synchronized List<DataSet> all() throws IOException {
    List<DataSet> all = new ArrayList<>();
    for (String name : names()) {
      all.add(describe(name));
    }
    return all;
  }

  private List<String> names() throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> folders = Files.list(folder)) {
      return folders
          .filter(Files::isDirectory)
          .map(path -> path.getFileName().toString())
          .filter(ImageUploads::isName)
          .sorted()
          .toList();
    }
  }

  /**
   * Where a data set lies.
   *
   * @param name of a data set
   * @return its folder, if there is one
   * @throws IOException if the folder of data sets cannot be read
   */
  public synchronized Optional<Path> find(String name) throws IOException {
    return names().contains(name) ? Optional.of(folder.resolve(name)) : Optional.empty();
  }

  private DataSet describe(String name) throws IOException {
    DataSet known = counted.get(name);
    if (known != null) {
      return known;
    }
    int images = 0;
    long bytes = 0;
    for (Path file : files(name)) {
      images++;
      bytes += Files.size(file);
    }
    return noted(new DataSet(name, images, bytes));
  }

  private DataSet noted(DataSet dataSet) {
    counted.put(dataSet.name(), dataSet);
    return dataSet;
  }

  private List<Path> files(String name) throws IOException {
    try (Stream<Path> files = Files.walk(folder.resolve(name), 2)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  /**
   * Makes a data set without images.
   *
   * @param name that {@link #isName} takes
   * @return the data set
   * @throws IOException if it cannot be made
   * @throws IllegalStateException if there is one of this name, or there are too many
   */
  public synchronized DataSet create(String name) throws IOException {
    List<String> names = names();
    if (names.contains(name)) {
      throw new IllegalStateException(
          "There are uploaded images of this name already; choose another, or remove those.");
    }
    if (names.size() >= MOST_DATA_SETS) {
      throw new IllegalStateException(
          Text.format(
              "There are %d uploaded data sets, and no more may be; remove one.", names.size()));
    }
    Folders.create(folder.resolve(name));
    return noted(new DataSet(name, 0, 0));
  }

  /**
   * Adds an image.
   *
   * @param name of a data set that {@link #find} finds
   * @param path of the file where it comes from: {@code CLASS/…/FILE}, or {@code FILE}
   * @param bytes of the file
   * @return the data set with it
   * @throws IOException if it is no image that can be read, or it cannot be written; the message is
   *     a sentence
   * @throws IllegalStateException if the data set would become too large
   */
  public synchronized DataSet add(String name, String path, byte[] bytes) throws IOException {
    Matcher extension = EXTENSION.matcher(path);
    String[] parts = path.split("/", -1);
    if (!extension.matches() || (parts.length > 1 && !CLASS.matcher(parts[0]).matches())) {
      throw new IOException(
          "Its name is none of an image in a folder with a harmless name: CLASS/FILE or FILE, named .jpg, .png, .gif, .bmp, .tiff or .webp.");
    }
    DataSet before = describe(name);
    if (before.images() >= MOST_IMAGES || before.bytes() + bytes.length > MOST_BYTES) {
      throw new IllegalStateException(
          Text.format(
              "The data set %s has %d images of %d bytes together, and may have %d of %d; start the service with a folder of images to train on more.",
              name, before.images(), before.bytes(), MOST_IMAGES, MOST_BYTES));
    }
    requireImage(bytes);
    Path target = parts.length > 1 ? folder.resolve(name).resolve(parts[0]) : folder.resolve(name);
    Folders.create(target);
    AtomicFile.writeBytes(
        target.resolve(
            Text.format("%06d.%s", before.images(), extension.group(1).toLowerCase(Locale.ROOT))),
        bytes);
    return noted(new DataSet(name, before.images() + 1, before.bytes() + bytes.length));
  }

  private static void requireImage(byte[] bytes) throws IOException {
    if (bytes.length == 0) {
      throw new IOException("It is empty.");
    }
    Path file = Files.createTempFile("ddpm4j-", ".image");
    try {
      Files.write(file, bytes);
      ImageFile.read(file, TRIAL);
    } catch (IOException e) {
      throw new IOException(e.getMessage().replace(file.toString(), "of this name"), e);
    } finally {
      Files.deleteIfExists(file);
    }
  }

  /**
   * Removes a data set.
   *
   * @param name of a data set that {@link #find} finds
   * @throws IOException if a file cannot be removed
   */
  public synchronized void remove(String name) throws IOException {
    counted.remove(name);
    try (Stream<Path> all = Files.walk(folder.resolve(name), 2)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
