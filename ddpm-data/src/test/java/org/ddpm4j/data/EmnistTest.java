package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.ddpm4j.diffusion.ImageShape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** EMNIST and KMNIST, in the places where people have them. */
class EmnistTest {

  @TempDir private Path root;

  private DataSources sources() {
    return DataSources.ofHost().withDataFolder(root);
  }

  private void write(String folder, String prefix, byte[] images, byte[] labels)
      throws IOException {
    Path place = Files.createDirectories(root.resolve(folder));
    Files.write(place.resolve(prefix + "-images-idx3-ubyte"), images);
    Files.write(place.resolve(prefix + "-labels-idx1-ubyte.gz"), IdxBytes.gzip(labels));
  }

  @Test
  void lettersAreUprightAndCountedFromOne() throws IOException {
    // The image of rows (1 2 3) and (4 5 6), column by column.
    byte[] images = IdxBytes.idx(new int[] {1, 3, 2}, new byte[] {1, 4, 2, 5, 3, 6});
    write("gzip", "emnist-letters-train", images, IdxBytes.labels(26));

    ImageDataSet data = Emnist.load(Emnist.Variant.LETTERS, Split.TRAIN, sources());

    assertThat(data.shape()).isEqualTo(new ImageShape(1, 2, 3));
    assertThat(data.pixels(0)).containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(data.classNames()).hasSize(26);
    assertThat(data.classNames().get(data.label(0))).isEqualTo("Z");
    assertThat(data.source()).startsWith("EMNIST letters training images from the folder");
    write("gzip", "emnist-letters-train", images, IdxBytes.labels(0));
    assertThatIOException()
        .isThrownBy(() -> Emnist.load(Emnist.Variant.LETTERS, Split.TRAIN, sources()))
        .withMessageContaining("the label 0 at position 0, expected 1 or more");
  }

  /** The classes by the published mapping's ASCII codes. */
  @Test
  void capitalsAndSmallLettersAreClassesOfTheirOwn() throws IOException {
    byte[] images = IdxBytes.images(2, 4, 4);
    write("EMNIST/raw", "emnist-byclass-test", images, IdxBytes.labels(10, 36));
    write("EMNIST/raw", "emnist-balanced-test", images, IdxBytes.labels(36, 46));

    ImageDataSet byclass = Emnist.load(Emnist.Variant.BYCLASS, Split.TEST, sources());
    assertThat(byclass.classNames()).hasSize(62).doesNotHaveDuplicates();
    assertThat(byclass.onlyClass("A").label(0)).isEqualTo(10);
    assertThat(byclass.onlyClass("a").label(0)).isEqualTo(36);
    ImageDataSet balanced = Emnist.load(Emnist.Variant.BALANCED, Split.TEST, sources());
    assertThat(balanced.classNames()).hasSize(47);
    assertThat(balanced.onlyClass("a").size()).isEqualTo(1);
    assertThat(balanced.onlyClass("t").label(0)).isEqualTo(46);
    assertThat(Set.copyOf(balanced.classNames())).doesNotContain("c", "z").contains("C", "Z");
  }

  @Test
  void kuzushijiMnistIsFoundWhereTorchvisionKeepsIt() throws IOException {
    write("KMNIST/raw", "t10k", IdxBytes.images(1, 4, 4), IdxBytes.labels(9));
    ImageDataSet data = Kmnist.load(Split.TEST, sources());
    assertThat(data.classNames().get(data.label(0))).isEqualTo("wo");
    assertThatIOException()
        .isThrownBy(() -> Kmnist.load(Split.TRAIN, sources()))
        .withMessageContaining("lacks train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz")
        .withMessageEndingWith("; put them there, with or without .gz.");
  }

  @Test
  void fashionMnistAndMnistAreFoundWhereTorchvisionKeepsThem() throws IOException {
    write("FashionMNIST/raw", "train", IdxBytes.images(1, 4, 4), IdxBytes.labels(9));
    write("MNIST/raw", "train", IdxBytes.images(1, 4, 4), IdxBytes.labels(3));
    assertThat(FashionMnist.load(Split.TRAIN, sources()).label(0)).isEqualTo(9);
    assertThat(Mnist.load(Split.TRAIN, sources()).label(0)).isEqualTo(3);
  }

  @Test
  void nothingIsDownloadedAndTheMessageSaysWhereToGetIt() {
    DataSources empty =
        new DataSources(
            Optional.empty(),
            root.resolve("cache"),
            root.resolve("system"),
            Network.ALLOWED,
            Optional.empty(),
            Duration.ofSeconds(1),
            Duration.ofSeconds(1));
    assertThatIOException()
        .isThrownBy(() -> Emnist.load(Emnist.Variant.DIGITS, Split.TRAIN, empty))
        .withMessageContaining("not downloaded by themselves")
        .withMessageContaining("emnist-digits-train-images-idx3-ubyte.gz")
        .withMessageContaining(root.resolve("cache/emnist").toString());
  }
}
