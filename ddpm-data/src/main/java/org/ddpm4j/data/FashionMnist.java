package org.ddpm4j.data;

import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Fashion-MNIST: 60,000 training and 10,000 test images {@code [1,28,28]} of ten kinds of clothes
 * (Xiao, Rasul and Vollgraf 2017, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
 * Learning Algorithms"). The first 700 training and 100 test images of each class come with this
 * library, for machines that have no others.
 */
public final class FashionMnist {

  private static final List<String> CLASS_NAMES =
      List.of(
          "T-shirt/top",
          "Trouser",
          "Pullover",
          "Dress",
          "Coat",
          "Sandal",
          "Shirt",
          "Sneaker",
          "Bag",
          "Ankle boot");

  // Of the plain files: copies are compressed in more than one way.
  private static final Map<String, String> SHA256 =
      Map.of(
          "train-images-idx3-ubyte",
          "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
          "train-labels-idx1-ubyte",
          "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
          "t10k-images-idx3-ubyte",
          "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
          "t10k-labels-idx1-ubyte",
          "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34");

  /** The published data set; plain http, hence the checksums. */
  static final PublishedDataSet PUBLISHED =
      new PublishedDataSet(
          "Fashion-MNIST",
          "fashion-mnist",
          List.of("raw", "FashionMNIST/raw"),
          IdxConventions.MNIST,
          URI.create("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
          Optional.of("dataset-fashion-mnist"),
          Optional.of("fashion-mnist/"),
          CLASS_NAMES,
          SHA256);

  private FashionMnist() {}

  /**
   * The images of one part, from the first of this machine's sources that has them.
   *
   * @param split training or test images
   * @return the images; {@link ImageDataSet#source()} says which source it was
   * @throws IOException if a source has a wrong file; the message names it
   */
  public static ImageDataSet load(Split split) throws IOException {
    return load(split, DataSources.ofHost());
  }

  /**
   * The images of one part, from the first source that has them: the data folder (and then no
   * other), the cache, Debian's package dataset-fashion-mnist, a download, the bundled subset.
   *
   * @param split training or test images
   * @param sources where to look
   * @return the images; {@link ImageDataSet#source()} says which source it was
   * @throws IOException if the data folder lacks the files, or a source has a wrong file; the
   *     message names it
   */
  public static ImageDataSet load(Split split, DataSources sources) throws IOException {
    return PUBLISHED.load(split, sources);
  }
}
