package org.ddpm4j.data;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.ddpm4j.io.FileFailure;
import org.ddpm4j.io.ForeignFormat;
import org.ddpm4j.io.Text;

/**
 * A folder of image files of any size: JPEG, PNG, GIF, BMP, TIFF and WebP (of several pictures in a
 * file the first), in sub-folders of any depth. CelebA's {@code img_align_celeba} and unpacked LSUN
 * categories are such folders.
 *
 * <p>Every image is scaled until its shorter side fits, and its middle is cut out. Files are read
 * in the order of their paths, by UTF-16 code units, on every system. Files and folders whose names
 * begin with a full stop are left out. Of the others, those are read that are named {@code .jpg},
 * {@code .jpeg}, {@code .jpe}, {@code .jfif}, {@code .png}, {@code .gif}, {@code .bmp}, {@code
 * .tif}, {@code .tiff} or {@code .webp} in whatever capitals; {@link LoadedImages#leftOut()} counts
 * the rest. Symbolic links are followed; one to nothing that has the name of an image is a file
 * that cannot be read. An image whose name is no text in the encoding of file names is refused.
 *
 * <p>A folder that holds nothing but a folder {@code train} and one called {@code val}, {@code
 * valid}, {@code validation} or {@code test} is one data set in two parts, as for torchvision's
 * {@code ImageFolder}; the classes are then the folders in these.
 */
public final class ImageFolder {

  private static final List<String> EXTENSIONS =
      List.of("jpg", "jpeg", "jpe", "jfif", "png", "gif", "bmp", "tif", "tiff", "webp");

  /** Of a folder of which only that is asked whether it holds images. */
  private static final int MOST_LOOKED_AT = 1000;

  private static final String TRAINING_PART = "train";
  private static final List<String> TEST_PARTS = List.of("val", "valid", "validation", "test");
  private static final String ONLY_CLASS = "images";
  private static final String NO_SUB_FOLDER = ".";

  /** What the class of an image is. */
  public enum Labels {
    /** All images are of one class, {@code images}. */
    NONE,
    /**
     * The first sub-folder on the way to it, in the order of the names. Images that lie in no
     * sub-folder are of the class {@code .}; where none lies in one, all are of the class {@code
     * images}.
     */
    SUB_FOLDERS
  }

  /**
   * What is in a folder.
   *
   * @param images the image files by their paths in the folder, with slashes
   * @param leftOut how many other files there are, by the ending of their names
   */
  record Found(Map<String, Path> images, Map<String, Integer> leftOut) {}

  private ImageFolder() {}

  /**
   * Reads all images of a folder, labelled by sub-folder; of a folder in two parts, those to train
   * on.
   *
   * @param folder with image files in it or in folders in it
   * @param options the size of the images, and which of them
   * @return the images, in [-1,1] until another {@link ImageDataSet#withNormalization}, and the
   *     files that were skipped
   * @throws IOException if there is no such folder, no image in it, one that cannot be read and may
   *     not be skipped, or more than fit into memory
   */
  public static LoadedImages read(Path folder, ImageFileOptions options) throws IOException {
    return read(folder, Labels.SUB_FOLDERS, options);
  }

  /**
   * Reads all images of a folder; of a folder in two parts, those to train on.
   *
   * @param folder with image files in it or in folders in it
   * @param labels what the class of an image is
   * @param options the size of the images, and which of them
   * @return the images, in [-1,1] until another {@link ImageDataSet#withNormalization}, and the
   *     files that were skipped
   * @throws IOException if there is no such folder, no image in it, one that cannot be read and may
   *     not be skipped, or more than fit into memory
   */
  public static LoadedImages read(Path folder, Labels labels, ImageFileOptions options)
      throws IOException {
    return read(folder, Split.TRAIN, labels, options);
  }

  /**
   * Reads the images of one part of a folder.
   *
   * @param folder with image files in it or in folders in it
   * @param split which part; only a folder in two parts has images to measure on
   * @param labels what the class of an image is
   * @param options the size of the images, and which of them
   * @return the images, in [-1,1] until another {@link ImageDataSet#withNormalization}, and the
   *     files that were skipped; labels are those of the part to train on
   * @throws IOException if there is no such folder, no image in it, one that cannot be read and may
   *     not be skipped, one of a class that the other part lacks, or more than fit into memory
   */
  public static LoadedImages read(Path folder, Split split, Labels labels, ImageFileOptions options)
      throws IOException {
    Objects.requireNonNull(folder, "folder");
    Objects.requireNonNull(options, "options");
    Optional<Path> test = testPart(folder);
    if (test.isEmpty()) {
      if (split == Split.TEST) {
        throw new IOException(
            Text.format(
                    "The folder %s has no images to measure on; they would be in a folder %s beside one",
                    folder, TEST_PARTS.get(0))
                + " called "
                + TRAINING_PART
                + ".");
      }
      return read(folder, find(folder), Optional.empty(), labels, options);
    }
    Path training = folder.resolve(TRAINING_PART);
    Found found = find(training);
    if (split == Split.TRAIN) {
      return read(training, found, Optional.empty(), labels, options);
    }
    return read(test.get(), find(test.get()), Optional.of(classNames(found)), labels, options);
  }

  /**
   * Whether a folder comes in two parts, and so has images to measure on.
   *
   * @param folder with image files in folders in it
   * @return whether {@link #read(Path, Split, Labels, ImageFileOptions)} has {@link Split#TEST}
   * @throws IOException if there is no such folder, or it cannot be read
   */
  public static boolean hasTestImages(Path folder) throws IOException {
    Objects.requireNonNull(folder, "folder");
    return testPart(folder).isPresent();
  }

  private static Optional<Path> testPart(Path folder) throws IOException {
    requireFolder(folder);
    Set<String> names = new TreeSet<>();
    try (Stream<Path> files = Files.list(folder)) {
      files
          .filter(file -> !isHidden(file) && (Files.isDirectory(file) || isImage(file)))
          .forEach(file -> names.add(file.getFileName().toString()));
    }
    boolean inParts =
        names.remove(TRAINING_PART) && !names.isEmpty() && TEST_PARTS.containsAll(names);
    return TEST_PARTS.stream()
        .filter(name -> inParts && names.contains(name))
        .findFirst()
        .map(folder::resolve);
  }

  private static List<String> classNames(Found found) {
    Set<String> subFolders = new TreeSet<>();
    found.images().keySet().forEach(path -> subFolders.add(subFolder(path)));
    return subFolders.equals(Set.of(NO_SUB_FOLDER)) ? List.of() : List.copyOf(subFolders);
  }

  /** Reads what was found, in its own classes or in given ones. */
  private static LoadedImages read(
      Path folder,
      Found found,
      Optional<List<String>> givenClasses,
      Labels labels,
      ImageFileOptions options)
      throws IOException {
    Map<String, Path> files = found.images();
    if (files.isEmpty()) {
      throw new IOException(
          Text.format(
                  "The folder %s holds no image files, in itself or in its sub-folders%s; expected files",
                  folder,
                  found.leftOut().isEmpty()
                      ? ""
                      : ", but " + LoadedImages.describe(found.leftOut()))
              + " named ."
              + String.join(", .", EXTENSIONS)
              + ".");
    }
    List<String> subFolders = givenClasses.orElseGet(() -> classNames(found));
    boolean labelled = labels == Labels.SUB_FOLDERS && !subFolders.isEmpty();
    List<String> classNames = labelled ? subFolders : List.of(ONLY_CLASS);
    Map<String, Integer> numbers = new TreeMap<>();
    classNames.forEach(name -> numbers.put(name, numbers.size()));
    List<Integer> fileLabels = new ArrayList<>();
    for (Map.Entry<String, Path> file : files.entrySet()) {
      Integer label = labelled ? numbers.get(subFolder(file.getKey())) : (Integer) 0;
      if (label == null) {
        throw new IOException(
            Text.format(
                "%s is of the class %s, of which there are no images to train on; remove it, or add some.",
                file.getValue(), subFolder(file.getKey())));
      }
      fileLabels.add(label);
    }
    LoadedImages loaded =
        new ImageFiles(
                List.copyOf(files.values()),
                fileLabels,
                classNames,
                "images of the folder " + folder)
            .load(options);
    return new LoadedImages(loaded.images(), loaded.skipped(), found.leftOut());
  }

  private static String subFolder(String path) {
    int slash = path.indexOf('/');
    return slash < 0 ? NO_SUB_FOLDER : path.substring(0, slash);
  }

  private static void requireFolder(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new IOException(
          Text.format(
              "The data folder %s %s; expected a folder with image files.",
              folder,
              ForeignFormat.of(folder)
                  .map(format -> "is a file, " + format.noun() + " (" + format.remedy() + ")")
                  .orElse("does not exist or is not a folder")));
    }
  }

  /** Goes through a folder and all folders in it. */
  static Found find(Path folder) throws IOException {
    requireFolder(folder);
    Map<String, Path> files = new TreeMap<>();
    Map<String, Integer> leftOut = new TreeMap<>();
    Files.walkFileTree(
        folder,
        EnumSet.of(FileVisitOption.FOLLOW_LINKS),
        Integer.MAX_VALUE,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path path, BasicFileAttributes attributes) {
            return isHidden(path) && !path.equals(folder)
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path path, BasicFileAttributes attributes)
              throws IOException {
            // What a link to nothing stands for may be on a disk that is missing: that must be
            // said.
            if (attributes.isRegularFile() || attributes.isSymbolicLink()) {
              add(path);
            }
            return FileVisitResult.CONTINUE;
          }

          private void add(Path path) throws IOException {
            if (isHidden(path)) {
              return;
            }
            if (isImage(path)) {
              requireText(path);
              String place = folder.relativize(path).toString();
              files.put(place.replace(File.separatorChar, '/'), path);
            } else {
              leftOut.merge(extension(path), 1, Integer::sum);
            }
          }

          @Override
          public FileVisitResult visitFileFailed(Path path, IOException e) throws IOException {
            // A link to a folder that it lies in: all there is has been seen.
            if (e instanceof FileSystemLoopException) {
              return FileVisitResult.CONTINUE;
            }
            throw FileFailure.unreadable(path, e);
          }
        });
    return new Found(files, leftOut);
  }

  /** Two names whose bytes are no text may read alike, and the JDK opens neither as a file. */
  private static void requireText(Path path) throws IOException {
    boolean isText;
    try {
      isText = path.getFileSystem().getPath(path.toString()).equals(path);
    } catch (InvalidPathException e) {
      isText = false;
    }
    if (!isText) {
      throw new IOException(
          Text.format(
              "The name of the image %s is no text in the encoding of file names (%s); rename the file, or the folder that is called so.",
              path, System.getProperty("sun.jnu.encoding")));
    }
  }

  /**
   * Whether files lie in a folder, or in the folders in it, that are called like images.
   *
   * @param folder to look into
   * @return whether there is one; false also where the folder cannot be read
   */
  public static boolean holdsImages(Path folder) {
    Objects.requireNonNull(folder, "folder");
    try (Stream<Path> files = Files.walk(folder, 2)) {
      return files
          .limit(MOST_LOOKED_AT)
          .anyMatch(file -> isImage(file) && !isHidden(file) && Files.isRegularFile(file));
    } catch (IOException | UncheckedIOException e) {
      return false;
    }
  }

  private static boolean isHidden(Path path) {
    Path name = path.getFileName();
    return name != null && name.toString().startsWith(".");
  }

  private static boolean isImage(Path path) {
    return EXTENSIONS.contains(extension(path));
  }

  /** What a name ends with, in small letters and without the full stop; nothing if it has none. */
  private static String extension(Path path) {
    String name = path.getFileName().toString();
    int stop = name.lastIndexOf('.');
    return stop < 0 ? "" : name.substring(stop + 1).toLowerCase(Locale.ROOT);
  }
}
