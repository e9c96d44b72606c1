package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.ddpm4j.diffusion.ImageShape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Cifar100Test {

  private static final int RECORD = 2 + 3 * 32 * 32;

  @TempDir private Path root;

  /** Records of a group, a class, and an image whose planes are one level each. */
  private static byte[] records(int[]... records) {
    byte[] bytes = new byte[records.length * RECORD];
    for (int i = 0; i < records.length; i++) {
      bytes[i * RECORD] = (byte) records[i][0];
      bytes[i * RECORD + 1] = (byte) records[i][1];
      for (int c = 0; c < 3; c++) {
        int start = i * RECORD + 2 + c * 1024;
        Arrays.fill(bytes, start, start + 1024, (byte) (10 * i + c));
      }
    }
    return bytes;
  }

  private ImageDataSet load(Split split, Cifar100.Labels labels) throws IOException {
    return Cifar100.load(split, labels, DataSources.ofHost().withDataFolder(root));
  }

  @Test
  void imagesHaveTheirClassOrTheirGroup() throws IOException {
    Path unpacked = Files.createDirectories(root.resolve(Cifar100.ARCHIVE_FOLDER));
    // An apple, which is fruit, and a worm, which is an invertebrate.
    Files.write(unpacked.resolve("train.bin"), records(new int[] {4, 0}, new int[] {13, 99}));
    Files.write(unpacked.resolve("test.bin"), records(new int[] {17, 47}));

    ImageDataSet fine = load(Split.TRAIN, Cifar100.Labels.FINE);
    assertThat(fine.shape()).isEqualTo(new ImageShape(3, 32, 32));
    assertThat(fine.classNames()).hasSize(100);
    assertThat(fine.classNames().get(fine.label(0))).isEqualTo("apple");
    assertThat(fine.classNames().get(fine.label(1))).isEqualTo("worm");
    assertThat(fine.pixels(1)[0]).isEqualTo((byte) 10);
    assertThat(fine.pixels(1)[2 * 1024]).isEqualTo((byte) 12);
    ImageDataSet coarse = load(Split.TRAIN, Cifar100.Labels.COARSE);
    assertThat(coarse.classNames()).hasSize(20);
    assertThat(coarse.classNames().get(coarse.label(0))).isEqualTo("fruit_and_vegetables");
    assertThat(coarse.classNames().get(coarse.label(1))).isEqualTo("non-insect_invertebrates");
    ImageDataSet test = load(Split.TEST, Cifar100.Labels.FINE);
    assertThat(test.classNames().get(test.label(0))).isEqualTo("maple_tree");
    assertThat(test.onlyClass("Maple tree").size()).isEqualTo(1);
  }

  @Test
  void otherVersionsAreNamed() throws IOException {
    Path python = Files.createDirectories(root.resolve("cifar-100-python"));
    Files.write(python.resolve("train"), new byte[] {(byte) 0x80, 2, '}', 'q', 1});
    assertThatIOException()
        .isThrownBy(() -> load(Split.TRAIN, Cifar100.Labels.FINE))
        .withMessageContaining("holds the Python version of CIFAR-100, pickles")
        .withMessageContaining("cifar-100-binary.tar.gz");
  }

  @Test
  void strangeFilesAreNamed() throws IOException {
    Files.writeString(root.resolve("train.bin"), "<html><body>Not found</body></html>");
    assertThatIOException()
        .isThrownBy(() -> load(Split.TRAIN, Cifar100.Labels.FINE))
        .withMessageContaining("train.bin is a web page (HTML), expected CIFAR-100's binary");
    Files.write(
        root.resolve("train.bin"),
        "version https://git-lfs.github.com/spec/v1\n".getBytes(StandardCharsets.US_ASCII));
    assertThatIOException()
        .isThrownBy(() -> load(Split.TRAIN, Cifar100.Labels.FINE))
        .withMessageContaining("a Git LFS pointer")
        .withMessageContaining("git lfs pull");
  }
}
