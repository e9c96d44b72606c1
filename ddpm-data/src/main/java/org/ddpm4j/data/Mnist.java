package org.ddpm4j.data;

import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * MNIST: 60,000 training and 10,000 test images {@code [1,28,28]} of handwritten digits (LeCun,
 * Bottou, Bengio and Haffner 1998, "Gradient-Based Learning Applied to Document Recognition"). None
 * of them come with this library.
 */
public final class Mnist {

  private static final List<String> CLASS_NAMES =
      List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");

  // Of the plain files: copies are compressed in more than one way.
  private static final Map<String, String> SHA256 =
      Map.of(
          "train-images-idx3-ubyte",
          "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
          "train-labels-idx1-ubyte",
          "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
          "t10k-images-idx3-ubyte",
          "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
          "t10k-labels-idx1-ubyte",
          "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2");

  /** The published data set. */
  static final PublishedDataSet PUBLISHED =
      new PublishedDataSet(
          "MNIST",
          "mnist",
          List.of("raw", "MNIST/raw"),
          IdxConventions.MNIST,
          URI.create("https://ossci-datasets.s3.amazonaws.com/mnist/"),
          Optional.empty(),
          Optional.empty(),
          CLASS_NAMES,
          SHA256);

  private Mnist() {}

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
   * other), the cache, the system's folder, a download.
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
