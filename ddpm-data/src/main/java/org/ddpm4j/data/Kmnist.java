package org.ddpm4j.data;

import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Kuzushiji-MNIST: 60,000 training and 10,000 test images {@code [1,28,28]} of ten hiragana in old
 * handwriting (Clanuwat et al. 2018, "Deep Learning for Classical Japanese Literature"). Its files
 * have the names of MNIST's. They are not downloaded by themselves.
 */
public final class Kmnist {

  /** The published data set. */
  static final PublishedDataSet PUBLISHED =
      new PublishedDataSet(
          "KMNIST",
          "kmnist",
          List.of("raw", "KMNIST/raw"),
          IdxConventions.MNIST,
          URI.create("http://codh.rois.ac.jp/kmnist/dataset/kmnist/"),
          Optional.empty(),
          Optional.empty(),
          List.of("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
          Map.of());

  private Kmnist() {}

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
   * other), the cache, the system's folder. In each, the files may also lie in {@code KMNIST/raw},
   * where torchvision keeps them.
   *
   * @param split training or test images
   * @param sources where to look
   * @return the images; {@link ImageDataSet#source()} says which source it was
   * @throws IOException if no source has the files, or one has a wrong file; the message says where
   *     to get them
   */
  public static ImageDataSet load(Split split, DataSources sources) throws IOException {
    return PUBLISHED.load(split, sources);
  }
}
