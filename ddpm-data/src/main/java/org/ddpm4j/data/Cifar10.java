package org.ddpm4j.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.ImageShape;

/**
 * CIFAR-10 in its binary version: 50,000 training and 10,000 test images {@code [3,32,32]} of ten
 * kinds of things (Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images").
 *
 * <p>A file is a sequence of records of 3073 bytes: the label, 0..9, then the image, {@code
 * [3,32,32]}: all red, then all green, then all blue, row by row. The training images are in {@code
 * data_batch_1.bin} to {@code data_batch_5.bin}, the test images in {@code test_batch.bin}; {@code
 * batches.meta.txt}, which may be missing, names the classes.
 */
public final class Cifar10 {

  /** The folder that the published archive unpacks to. */
  static final String ARCHIVE_FOLDER = "cifar-10-batches-bin";

  private static final String FOLDER = "cifar10";
  private static final String ADDRESS = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz";
  private static final String NAMES_FILE = "batches.meta.txt";
  private static final ImageShape SHAPE = new ImageShape(3, 32, 32);
  private static final int CLASSES = 10;
  private static final int RECORD_BYTES = 1 + SHAPE.volume();
  private static final int PUBLISHED_RECORDS = 10_000;

  /** Of a file that a user made; a longer one is not CIFAR-10. */
  private static final int MAX_RECORDS = 20 * PUBLISHED_RECORDS;

  private static final List<String> CLASS_NAMES =
      List.of(
          "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck");

  private Cifar10() {}

  /**
   * The images of one part, from the first of this machine's sources that has them.
   *
   * @param split training or test images
   * @return the images; {@link ImageDataSet#source()} says which source it was
   * @throws IOException if no source has the files, or one has a wrong file; the message says where
   *     to get them
   */
  public static ImageDataSet load(Split split) throws IOException {
    return load(split, DataSources.ofHost());
  }

  /**
   * The images of one part, from the first source that has them: the data folder (and then no
   * other), the cache, the system's folder. In each, the files may also lie in the folder {@code
   * cifar-10-batches-bin} that the published archive unpacks to. Nothing is downloaded.
   *
   * @param split training or test images
   * @param sources where to look
   * @return the images; {@link ImageDataSet#source()} says which source it was
   * @throws IOException if no source has the files, or one has a wrong file; the message says where
   *     to get them
   */
  public static ImageDataSet load(Split split, DataSources sources) throws IOException {
    UnpackedArchive archive =
        new UnpackedArchive(
            "CIFAR-10", FOLDER, ARCHIVE_FOLDER, fileNames(split).get(0), ADDRESS, "170 MB");
    Path folder = archive.find(sources);
    boolean published = sources.dataFolder().isEmpty();
    List<Path> files = new ArrayList<>();
    for (String name : fileNames(split)) {
      Path file = folder.resolve(name);
      if (!Files.isRegularFile(file)) {
        throw new IOException(
            String.format(
                "The folder %s lacks %s; the %s images of CIFAR-10 are %s.",
                folder, name, split.adjective(), String.join(", ", fileNames(split))));
      }
      files.add(file);
    }
    String source = String.format("CIFAR-10 %s images from %s", split.adjective(), folder);
    return read(files, classNames(folder), source, published);
  }

  private static List<String> fileNames(Split split) {
    return switch (split) {
      case TRAIN -> IntStream.rangeClosed(1, 5).mapToObj(i -> "data_batch_" + i + ".bin").toList();
      case TEST -> List.of("test_batch.bin");
    };
  }

  private static ImageDataSet read(
      List<Path> files, List<String> classNames, String source, boolean published)
      throws IOException {
    int images = 0;
    for (Path file : files) {
      images += records(file, published);
    }
    PixelStore.requireMemory(SHAPE, images, source);
    PixelStore pixels = new PixelStore(SHAPE, images);
    int[] labels = new int[images];
    int next = 0;
    for (Path file : files) {
      byte[] bytes = Files.readAllBytes(file);
      for (int start = 0; start + RECORD_BYTES <= bytes.length && next < images; next++) {
        labels[next] = Byte.toUnsignedInt(bytes[start]);
        if (labels[next] >= CLASSES) {
          throw new IOException(
              String.format(
                  "%s has the label %d in record %d, expected 0 to %d; take the files of CIFAR-10's"
                      + " binary version.",
                  file, labels[next], start / RECORD_BYTES, CLASSES - 1));
        }
        pixels.put(next, bytes, start + 1);
        start += RECORD_BYTES;
      }
    }
    if (next < images) {
      throw new IOException(source + ": a file became shorter while it was read; try again.");
    }
    int[] rows = IntStream.range(0, images).toArray();
    return ImageDataSet.sharing(SHAPE, pixels, rows, labels, classNames, source);
  }

  /** The number of records, judged by the length. */
  private static int records(Path file, boolean published) throws IOException {
    long bytes = Files.size(file);
    long records = bytes / RECORD_BYTES;
    if (bytes % RECORD_BYTES != 0 || records == 0 || records > MAX_RECORDS) {
      throw new IOException(
          String.format(
              "%s has %d bytes, expected records of %d bytes, 1 to %d of them; unpack the archive"
                  + " again.",
              file, bytes, RECORD_BYTES, MAX_RECORDS));
    }
    if (published && records != PUBLISHED_RECORDS) {
      throw new IOException(
          String.format(
              "%s holds %d images, but the published file holds %d; unpack the archive again.",
              file, records, PUBLISHED_RECORDS));
    }
    return (int) records;
  }

  private static List<String> classNames(Path folder) throws IOException {
    Path file = folder.resolve(NAMES_FILE);
    if (!Files.exists(file)) {
      return CLASS_NAMES;
    }
    List<String> names =
        TextLines.read(file).stream().map(String::strip).filter(line -> !line.isEmpty()).toList();
    if (names.size() != CLASSES) {
      throw new IOException(
          String.format(
              "%s names %d classes, expected %d; remove it, or unpack the archive again.",
              file, names.size(), CLASSES));
    }
    return names;
  }
}
