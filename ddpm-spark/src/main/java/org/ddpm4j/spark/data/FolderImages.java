package org.ddpm4j.spark.data;

import java.io.IOException;
import java.io.Serializable;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.hadoop.fs.Path;
import org.ddpm4j.io.Text;

/**
 * The image files of a folder, in the order of their paths. As in {@code ImageFolder}, the class of
 * an image is the first sub-folder on the way to it.
 */
final class FolderImages {

  private static final List<String> ENDINGS =
      List.of(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp");
  private static final String ONLY_CLASS = "images";
  private static final String NO_SUB_FOLDER = ".";

  /** The address of each file by its path inside the folder. */
  private final SortedMap<String, String> files;

  private final List<String> classNames;

  /** Where a file's image goes, and its class. */
  record Place(int number, int label) implements Serializable {
    private static final long serialVersionUID = 1L;
  }

  private FolderImages(SortedMap<String, String> files) {
    this.files = files;
    List<String> subFolders =
        files.keySet().stream().map(FolderImages::subFolder).sorted().distinct().toList();
    classNames = subFolders.equals(List.of(NO_SUB_FOLDER)) ? List.of(ONLY_CLASS) : subFolders;
  }

  /**
   * Those among all files of a folder.
   *
   * @param source the folder as the user named it, for messages
   * @param folder its full address
   * @param addresses of all files below it
   * @throws IOException if none is an image's
   */
  static FolderImages of(String source, Path folder, Collection<String> addresses)
      throws IOException {
    int inside = folder.toUri().getPath().length() + 1;
    SortedMap<String, String> files = new TreeMap<>();
    for (String address : addresses) {
      String path = new Path(address).toUri().getPath().substring(inside);
      if (ENDINGS.stream().anyMatch(path.toLowerCase(Locale.ROOT)::endsWith)) {
        files.put(path, address);
      }
    }
    if (files.isEmpty()) {
      throw new IOException(
          Text.format(
              "The folder %s holds no image files; expected files named %s.",
              source, String.join(", ", ENDINGS)));
    }
    return new FolderImages(files);
  }

  private static String subFolder(String path) {
    int end = path.indexOf('/');
    return end < 0 ? NO_SUB_FOLDER : path.substring(0, end);
  }

  int count() {
    return files.size();
  }

  List<String> classNames() {
    return classNames;
  }

  /** The places of all images by the addresses of their files; a map that travels to executors. */
  HashMap<String, Place> places() {
    HashMap<String, Place> places = new HashMap<>();
    for (Map.Entry<String, String> file : files.entrySet()) {
      // Not found where no file is in a sub-folder: all are of the only class.
      int label = Math.max(0, classNames.indexOf(subFolder(file.getKey())));
      places.put(file.getValue(), new Place(places.size(), label));
    }
    return places;
  }
}
