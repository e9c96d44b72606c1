package org.ddpm4j.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.io.ForeignFormat;
import org.ddpm4j.io.Text;

/**
 * A data set in the binary format of CIFAR: files of records, each a few labels of a byte and an
 * image {@code [3,32,32]}: all red, then all green, then all blue, row by row.
 *
 * @param archive where its files are
 * @param trainingFiles the names of the files to train on
 * @param testFiles the names of the files to measure on
 * @param publishedTraining the records of each published file to train on
 * @param publishedTest the records of each published file to measure on
 * @param labelBytes the labels of a record
 * @param label which of them is the class, from 0
 * @param namesFile a text file with the names of the classes, which may be missing
 * @param classNames their names where it is
 */
record CifarFiles(
    UnpackedArchive archive,
    List<String> trainingFiles,
    List<String> testFiles,
    int publishedTraining,
    int publishedTest,
    int labelBytes,
    int label,
    String namesFile,
    List<String> classNames) {

  private static final ImageShape SHAPE = new ImageShape(3, 32, 32);

  /** Of a file that a user made; a longer one is not CIFAR. */
  private static final int MAX_RECORDS = 200_000;

  /**
   * The images of one part, from the first source that has them.
   *
   * @throws IOException if no source has the files, or one has a wrong file
   */
  ImageDataSet load(Split split, DataSources sources) throws IOException {
    Path folder = archive.find(sources);
    boolean published = sources.dataFolder().isEmpty();
    List<String> names =
        switch (split) {
          case TRAIN -> trainingFiles;
          case TEST -> testFiles;
        };
    int records =
        switch (split) {
          case TRAIN -> publishedTraining;
          case TEST -> publishedTest;
        };
    List<Path> files = new ArrayList<>();
    int images = 0;
    for (String name : names) {
      Path file = folder.resolve(name);
      if (!Files.isRegularFile(file)) {
        throw new IOException(
            Text.format(
                "The folder %s lacks %s; the %s images of %s are %s.",
                folder, name, split.adjective(), archive.name(), String.join(", ", names)));
      }
      files.add(file);
      images += records(file, published ? records : 0);
    }
    String source = Text.format("%s %s images from %s", archive.name(), split.adjective(), folder);
    return read(files, images, namesOf(folder), source);
  }

  private int recordBytes() {
    return labelBytes + SHAPE.volume();
  }

  /** The number of records, judged by the length. */
  private int records(Path file, int published) throws IOException {
    long bytes = Files.size(file);
    long records = bytes / recordBytes();
    if (bytes % recordBytes() != 0 || records == 0 || records > MAX_RECORDS) {
      throw new IOException(
          ForeignFormat.of(file)
              .map(
                  format ->
                      Text.format(
                          "%s is %s, expected %s's binary version; %s.",
                          file, format.noun(), archive.name(), format.remedy()))
              .orElseGet(
                  () ->
                      Text.format(
                          "%s has %d byte(s), expected records of %d byte(s), 1 to %d of them; unpack"
                              + " the archive again.",
                          file, bytes, recordBytes(), MAX_RECORDS)));
    }
    if (published != 0 && records != published) {
      throw new IOException(
          Text.format(
              "%s holds %d image(s), but the published file holds %d; unpack the archive again.",
              file, records, published));
    }
    return (int) records;
  }

  private ImageDataSet read(List<Path> files, int images, List<String> names, String source)
      throws IOException {
    PixelStore.requireMemory(SHAPE, images, source);
    PixelStore pixels = new PixelStore(SHAPE, images);
    int[] labels = new int[images];
    int next = 0;
    for (Path file : files) {
      byte[] bytes = Files.readAllBytes(file);
      for (int start = 0; start + recordBytes() <= bytes.length && next < images; next++) {
        labels[next] = Byte.toUnsignedInt(bytes[start + label]);
        if (labels[next] >= names.size()) {
          throw new IOException(
              Text.format(
                  "%s has the label %d in record %d, expected 0 to %d; take the files of %s's"
                      + " binary version.",
                  file, labels[next], start / recordBytes(), names.size() - 1, archive.name()));
        }
        pixels.put(next, bytes, start + labelBytes);
        start += recordBytes();
      }
    }
    if (next < images) {
      throw new IOException(source + ": a file became shorter while it was read; try again.");
    }
    int[] rows = IntStream.range(0, images).toArray();
    return ImageDataSet.sharing(SHAPE, pixels, rows, labels, names, source);
  }

  private List<String> namesOf(Path folder) throws IOException {
    Path file = folder.resolve(namesFile);
    if (!Files.exists(file)) {
      return classNames;
    }
    List<String> names =
        TextLines.read(file).stream().map(String::strip).filter(line -> !line.isEmpty()).toList();
    if (names.size() != classNames.size()) {
      throw new IOException(
          Text.format(
              "%s names %d class(es), expected %d; remove it, or unpack the archive again.",
              file, names.size(), classNames.size()));
    }
    return names;
  }
}
