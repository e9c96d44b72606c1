package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.ddpm4j.diffusion.ImageShape;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Cifar10Test {

  private static final int RECORD = 3073;

  @TempDir private Path root;
  private Path data;

  /** Two records a file; a record of label l is l, then red 10·l, green 10·l+1, blue 10·l+2. */
  private static void write(Path file, int... labels) throws IOException {
    byte[] bytes = new byte[labels.length * RECORD];
    for (int i = 0; i < labels.length; i++) {
      bytes[i * RECORD] = (byte) labels[i];
      for (int c = 0; c < 3; c++) {
        int start = i * RECORD + 1 + c * 1024;
        Arrays.fill(bytes, start, start + 1024, (byte) (10 * labels[i] + c));
      }
    }
    Files.createDirectories(file.getParent());
    Files.write(file, bytes);
  }

  @BeforeEach
  void writeAll() throws IOException {
    data = root.resolve("data");
    for (int i = 1; i <= 5; i++) {
      write(data.resolve("data_batch_" + i + ".bin"), i, 9);
    }
    write(data.resolve("test_batch.bin"), 0, 7, 8);
  }

  private DataSources sources() {
    DataSources host = DataSources.ofHost();
    return new DataSources(
        host.dataFolder(),
        root.resolve("cache"),
        root.resolve("system"),
        Network.FORBIDDEN,
        host.mirror(),
        host.connectTimeout(),
        host.stallTimeout());
  }

  private ImageDataSet load(Split split) throws IOException {
    return Cifar10.load(split, sources().withDataFolder(data));
  }

  @Test
  void recordsAreALabelAndThreePlanes() throws IOException {
    byte[] bytes = Files.readAllBytes(data.resolve("data_batch_1.bin"));
    // Red at row 0, column 1; green at row 1, column 0; blue at the end.
    bytes[1 + 1] = (byte) 201;
    bytes[1 + 1024 + 32] = (byte) 202;
    bytes[3072] = (byte) 203;
    Files.write(data.resolve("data_batch_1.bin"), bytes);

    ImageDataSet training = load(Split.TRAIN);

    assertThat(training.size()).isEqualTo(10);
    assertThat(training.shape()).isEqualTo(new ImageShape(3, 32, 32));
    assertThat(training.label(0)).isEqualTo(1);
    assertThat(training.label(1)).isEqualTo(9);
    assertThat(training.label(8)).isEqualTo(5);
    assertThat(training.classNames().get(9)).isEqualTo("truck");
    var features = training.batch(0).getFeatures();
    assertThat(features.getFloat(0, 0, 0, 1)).isEqualTo((float) (201 / 127.5 - 1));
    assertThat(features.getFloat(0, 1, 1, 0)).isEqualTo((float) (202 / 127.5 - 1));
    assertThat(features.getFloat(0, 2, 31, 31)).isEqualTo((float) (203 / 127.5 - 1));
    assertThat(features.getFloat(0, 2, 0, 0)).isEqualTo((float) (12 / 127.5 - 1));
    assertThat(load(Split.TEST).size()).isEqualTo(3);
    assertThat(load(Split.TEST).onlyClass("Ship").pixels(0)).startsWith(80);
  }

  @Test
  void theArchivesFolderIsFoundAndClassesMayHaveOtherNames() throws IOException {
    Path archive = root.resolve("archive").resolve(Cifar10.ARCHIVE_FOLDER);
    Files.createDirectories(archive.getParent());
    Files.move(data, archive);
    Files.writeString(archive.resolve("batches.meta.txt"), "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
    data = archive.getParent();
    ImageDataSet test = load(Split.TEST);
    assertThat(test.classNames()).containsExactly("a", "b", "c", "d", "e", "f", "g", "h", "i", "j");
    Files.writeString(archive.resolve("batches.meta.txt"), "a\nb\n");
    assertThatIOException()
        .isThrownBy(() -> load(Split.TEST))
        .withMessageContaining("names 2 classes, expected 10");
  }

  @Test
  void aFileThatIsCutOffIsRefused() throws IOException {
    Path file = data.resolve("data_batch_3.bin");
    Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 2 * RECORD - 1));
    assertThatIOException()
        .isThrownBy(() -> load(Split.TRAIN))
        .withMessage(
            file
                + " has 6145 bytes, expected records of 3073 bytes, 1 to 200000 of them; unpack the"
                + " archive again.");
    Files.write(file, new byte[0]);
    assertThatIOException().isThrownBy(() -> load(Split.TRAIN)).withMessageContaining("0 bytes");
  }

  @Test
  void aLabelOfTenIsRefused() throws IOException {
    Path file = data.resolve("test_batch.bin");
    write(file, 9, 10);
    assertThatIOException()
        .isThrownBy(() -> load(Split.TEST))
        .withMessageStartingWith(file + " has the label 10 in record 1, expected 0 to 9");
  }

  @Test
  void aMissingFileIsNamed() throws IOException {
    Files.delete(data.resolve("data_batch_4.bin"));
    assertThatIOException()
        .isThrownBy(() -> load(Split.TRAIN))
        .withMessageContaining("lacks data_batch_4.bin");
    Files.delete(data.resolve("data_batch_1.bin"));
    assertThatIOException()
        .isThrownBy(() -> load(Split.TRAIN))
        .withMessageContaining("lacks data_batch_1.bin; expected the files of CIFAR-10");
  }

  @Test
  void withoutADataFolderTheMessageSaysWhereToGetIt() {
    assertThatIOException()
        .isThrownBy(() -> Cifar10.load(Split.TRAIN, sources()))
        .withMessageContaining("cifar-10-binary.tar.gz (170 MB) and unpack it into")
        .withMessageContaining(root.resolve("cache/cifar10").toString());
  }

  @Test
  void filesInTheCacheHaveToBeWhole() throws IOException {
    write(root.resolve("cache/cifar10/test_batch.bin"), 1, 2, 3);
    assertThatIOException()
        .isThrownBy(() -> Cifar10.load(Split.TEST, sources()))
        .withMessageContaining("holds 3 images, but the published file holds 10000");
  }

  @Test
  void theOtherVersionsAreNamed() throws IOException {
    Path folder = Files.createDirectories(root.resolve("py"));
    Path python = Files.createDirectories(folder.resolve("cifar-10-batches-py"));
    Files.write(python.resolve("data_batch_1"), new byte[] {(byte) 0x80, 2, '}', 'q', 1});
    for (Path place : List.of(folder, python)) {
      assertThatIOException()
          .isThrownBy(() -> Cifar10.load(Split.TRAIN, DataSources.ofHost().withDataFolder(place)))
          .withMessage(
              place
                  + " holds the Python version of CIFAR-10, pickles, which are not read here;"
                  + " expected the files of CIFAR-10"
                  + " (https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz, 170 MB), unpacked.");
    }
    Path matlab = Files.createDirectories(root.resolve("mat"));
    Files.writeString(matlab.resolve("data_batch_1.mat"), "MATLAB 5.0 MAT-file");
    assertThatIOException()
        .isThrownBy(() -> Cifar10.load(Split.TEST, DataSources.ofHost().withDataFolder(matlab)))
        .withMessageContaining("the Matlab version of CIFAR-10");
  }

  @Test
  void anArchiveThatIsStillPackedIsNamed() throws IOException {
    Path folder = Files.createDirectories(root.resolve("packed"));
    Path archive = folder.resolve("cifar-10-binary.tar.gz");
    Files.write(archive, new byte[] {0x1f, (byte) 0x8b, 8, 0});
    assertThatIOException()
        .isThrownBy(() -> Cifar10.load(Split.TRAIN, DataSources.ofHost().withDataFolder(folder)))
        .withMessageContaining("an archive, cifar-10-binary.tar.gz, that has not been unpacked");
    assertThatIOException()
        .isThrownBy(() -> Cifar10.load(Split.TRAIN, DataSources.ofHost().withDataFolder(archive)))
        .withMessageContaining("is a file, compressed by gzip, where a folder is needed");
  }
}
