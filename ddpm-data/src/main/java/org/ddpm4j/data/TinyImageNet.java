package org.ddpm4j.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.ddpm4j.diffusion.image.Normalization;
import org.ddpm4j.io.Text;

/**
 * TinyImageNet: photographs of 64 by 64 pixels in 200 classes, 500 of each to train on and 50 to
 * measure on (Le and Yang 2015, "Tiny ImageNet Visual Recognition Challenge").
 *
 * <p>In its folder are {@code wnids.txt}, which lists the classes by their WordNet identifiers,
 * {@code words.txt}, which has their names, {@code train/<wnid>/images/*.JPEG}, and {@code
 * val/images/*.JPEG} with {@code val/val_annotations.txt}, or the same sorted into {@code
 * val/<wnid>}, as many courses do. Its {@code test} folder has no labels; {@link Split#TEST} is
 * {@code val}. Some of the photographs are grey.
 *
 * <p>In colour, the images come with {@link Normalization#IMAGENET}, as classifiers of ImageNet
 * take them; {@link ImageDataSet#withNormalization} changes that.
 */
public final class TinyImageNet {

  /** Height and width of the published images in pixels. */
  public static final int SIZE = 64;

  /** The folder that the published archive unpacks to. */
  static final String ARCHIVE_FOLDER = "tiny-imagenet-200";

  private static final String CLASSES_FILE = "wnids.txt";
  private static final String NAMES_FILE = "words.txt";
  private static final UnpackedArchive ARCHIVE =
      new UnpackedArchive(
          "TinyImageNet",
          "tiny-imagenet",
          List.of(ARCHIVE_FOLDER),
          CLASSES_FILE,
          "http://cs231n.stanford.edu/tiny-imagenet-200.zip",
          "237 MB",
          List.of());

  private TinyImageNet() {}

  /**
   * The images of one part in colour and in their own size.
   *
   * @param split training or validation images
   * @param sources where to look
   * @return the images; {@link ImageDataSet#source()} says which source it was
   * @throws IOException if no source has the files, or one cannot be read; the message says where
   *     to get them
   */
  public static ImageDataSet load(Split split, DataSources sources) throws IOException {
    return load(split, sources, ImageFileOptions.of(SIZE, SIZE)).images();
  }

  /**
   * The images of one part, from the first source that has them: the data folder (and then no
   * other), the cache, the system's folder. In each, the files may also lie in the folder {@code
   * tiny-imagenet-200} that the published archive unpacks to. Nothing is downloaded.
   *
   * @param split training or validation images
   * @param sources where to look
   * @param options the size of the images, and which of them
   * @return the images, in the order of their classes, and the files that were skipped
   * @throws IOException if no source has the files, or one cannot be read and may not be skipped;
   *     the message says where to get them
   */
  public static LoadedImages load(Split split, DataSources sources, ImageFileOptions options)
      throws IOException {
    Objects.requireNonNull(sources, "sources");
    Path folder = ARCHIVE.find(sources);
    List<String> wnids = wnids(folder);
    List<Path> paths = new ArrayList<>();
    List<Integer> labels = new ArrayList<>();
    switch (split) {
      case TRAIN -> listByClass(folder.resolve("train"), wnids, paths, labels);
      case TEST -> listValidation(folder, wnids, paths, labels);
    }
    if (paths.isEmpty()) {
      throw new IOException(
          Text.format(
              "The folder %s holds no %s images of TinyImageNet; unpack the archive again.",
              folder, split.adjective()));
    }
    String source = Text.format("TinyImageNet %s images from %s", split.adjective(), folder);
    LoadedImages loaded =
        new ImageFiles(paths, labels, classNames(folder, wnids), source).load(options);
    if (options.colors() == ColorMode.GRAYSCALE) {
      return loaded;
    }
    return new LoadedImages(
        loaded.images().withNormalization(Normalization.IMAGENET), loaded.skipped());
  }

  private static List<String> wnids(Path folder) throws IOException {
    Path file = folder.resolve(CLASSES_FILE);
    List<String> wnids =
        TextLines.read(file).stream().map(String::strip).filter(line -> !line.isEmpty()).toList();
    for (String wnid : wnids) {
      if (!wnid.matches("\\w+")) {
        throw new IOException(
            Text.format(
                "%s lists the class '%s', expected WordNet identifiers such as n01443537; unpack the archive again.",
                file, wnid));
      }
    }
    if (wnids.isEmpty() || new HashSet<>(wnids).size() != wnids.size()) {
      throw new IOException(file + " lists no classes, or one twice; unpack the archive again.");
    }
    return wnids;
  }

  /** The first of each class's names; with the identifier where two classes have the same. */
  private static List<String> classNames(Path folder, List<String> wnids) throws IOException {
    Map<String, String> words = new HashMap<>();
    Path file = folder.resolve(NAMES_FILE);
    if (Files.exists(file)) {
      for (String line : TextLines.read(file)) {
        int tab = line.indexOf('\t');
        if (tab > 0) {
          words.put(
              line.substring(0, tab).strip(), line.substring(tab + 1).split(",", 2)[0].strip());
        }
      }
    }
    List<String> names = wnids.stream().map(wnid -> words.getOrDefault(wnid, wnid)).toList();
    Set<String> seen = new HashSet<>();
    Set<String> twice = new HashSet<>();
    names.stream().filter(name -> !seen.add(name)).forEach(twice::add);
    List<String> unique = new ArrayList<>();
    for (int i = 0; i < wnids.size(); i++) {
      String name = names.get(i);
      unique.add(twice.contains(name) ? name + " (" + wnids.get(i) + ")" : name);
    }
    return unique;
  }

  /** A folder for each class, whose images lie in it or in folders in it. */
  private static void listByClass(
      Path part, List<String> wnids, List<Path> paths, List<Integer> labels) throws IOException {
    for (int label = 0; label < wnids.size(); label++) {
      Path images = part.resolve(wnids.get(label));
      if (!Files.isDirectory(images)) {
        throw new IOException(
            Text.format(
                "The folder %s is missing, though %s lists the class; unpack the archive again.",
                images, CLASSES_FILE));
      }
      for (Path path : ImageFolder.find(images).images().values()) {
        paths.add(path);
        labels.add(label);
      }
    }
  }

  private static boolean holdsFiles(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return false;
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.findAny().isPresent();
    }
  }

  /** A line is: file, class, and the corners of a box around the thing. */
  private static void listValidation(
      Path folder, List<String> wnids, List<Path> paths, List<Integer> labels) throws IOException {
    Path part = folder.resolve("val");
    Path annotations = part.resolve("val_annotations.txt");
    Path images = part.resolve("images");
    boolean sortedByClass = wnids.stream().anyMatch(wnid -> Files.isDirectory(part.resolve(wnid)));
    if (sortedByClass && !(Files.exists(annotations) && holdsFiles(images))) {
      listByClass(part, wnids, paths, labels);
      return;
    }
    List<String> lines = TextLines.read(annotations);
    Map<String, Integer> numbers = new HashMap<>();
    wnids.forEach(wnid -> numbers.put(wnid, numbers.size()));
    List<List<Path>> byClass = new ArrayList<>();
    wnids.forEach(wnid -> byClass.add(new ArrayList<>()));
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).isBlank()) {
        continue;
      }
      String[] fields = lines.get(i).strip().split("\t");
      boolean known = fields.length >= 2 && numbers.containsKey(fields[1]);
      if (!known || !fields[0].matches("[\\w.-]+")) {
        throw new IOException(
            Text.format(
                "%s has the line %d '%s', expected a file name, a class of %s and a box, with tabs"
                    + " between them; unpack the archive again.",
                annotations, i + 1, lines.get(i).strip(), CLASSES_FILE));
      }
      byClass.get(numbers.get(fields[1])).add(images.resolve(fields[0]));
    }
    for (int label = 0; label < wnids.size(); label++) {
      Path[] sorted = byClass.get(label).toArray(Path[]::new);
      Arrays.sort(sorted);
      for (Path path : sorted) {
        paths.add(path);
        labels.add(label);
      }
    }
  }
}
