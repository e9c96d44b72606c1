package org.ddpm4j.data;

import java.io.File;
import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A folder of image files of any size: JPEG, PNG, GIF (its first picture) and BMP, in sub-folders
 * of any depth. CelebA's {@code img_align_celeba} and unpacked LSUN categories are such folders.
 *
 * <p>Every image is scaled until its shorter side fits, and its middle is cut out. Files are read
 * in the order of their paths, by UTF-16 code units, on every system. Files and folders whose names
 * begin with a full stop are left out, as are files that are not named {@code .jpg}, {@code .jpeg},
 * {@code .png}, {@code .gif} or {@code .bmp} in whatever capitals. Symbolic links are followed.
 */
public final class ImageFolder {

  private static final Set<String> EXTENSIONS = Set.of("jpg", "jpeg", "png", "gif", "bmp");
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

  private ImageFolder() {}

  /**
   * Reads all images of a folder, labelled by sub-folder.
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
   * Reads all images of a folder.
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
    Map<String, Path> files = find(folder);
    if (files.isEmpty()) {
      throw new IOException(
          "The folder "
              + folder
              + " holds no image files, in itself or in its sub-folders; expected files named .jpg,"
              + " .jpeg, .png, .gif or .bmp.");
    }
    Set<String> subFolders = new TreeSet<>();
    files.keySet().forEach(path -> subFolders.add(subFolder(path)));
    boolean labelled = labels == Labels.SUB_FOLDERS && !subFolders.equals(Set.of(NO_SUB_FOLDER));
    List<String> classNames = labelled ? List.copyOf(subFolders) : List.of(ONLY_CLASS);
    Map<String, Integer> numbers = new TreeMap<>();
    classNames.forEach(name -> numbers.put(name, numbers.size()));
    List<Integer> fileLabels = new ArrayList<>();
    for (String path : files.keySet()) {
      fileLabels.add(labelled ? numbers.get(subFolder(path)) : (Integer) 0);
    }
    return new ImageFiles(
            List.copyOf(files.values()), fileLabels, classNames, "images of the folder " + folder)
        .load(options);
  }

  private static String subFolder(String path) {
    int slash = path.indexOf('/');
    return slash < 0 ? NO_SUB_FOLDER : path.substring(0, slash);
  }

  /** The image files by their paths in the folder, with slashes. */
  static Map<String, Path> find(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new IOException(
          "The data folder "
              + folder
              + " does not exist or is not a folder; expected a folder with image files.");
    }
    Map<String, Path> files = new TreeMap<>();
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
          public FileVisitResult visitFile(Path path, BasicFileAttributes attributes) {
            if (attributes.isRegularFile() && !isHidden(path) && isImage(path)) {
              files.put(folder.relativize(path).toString().replace(File.separatorChar, '/'), path);
            }
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path path, IOException e) throws IOException {
            // A link to a folder that it lies in, or to nothing: all there is has been seen.
            if (e instanceof FileSystemLoopException || Files.isSymbolicLink(path)) {
              return FileVisitResult.CONTINUE;
            }
            throw new IOException(
                path
                    + " cannot be read ("
                    + e.getClass().getSimpleName()
                    + "); change its permissions or choose another folder.",
                e);
          }
        });
    return files;
  }

  private static boolean isHidden(Path path) {
    Path name = path.getFileName();
    return name != null && name.toString().startsWith(".");
  }

  private static boolean isImage(Path path) {
    String name = path.getFileName().toString();
    return EXTENSIONS.contains(name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT));
  }
}
