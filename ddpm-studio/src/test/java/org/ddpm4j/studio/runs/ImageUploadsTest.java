package org.ddpm4j.studio.runs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.ddpm4j.data.ImageDataSet;
import org.ddpm4j.data.ImageFileOptions;
import org.ddpm4j.data.ImageFolder;
import org.ddpm4j.diffusion.image.Images;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Uploaded images become a folder that a training reads, and nothing else is written. */
class ImageUploadsTest {

  private static final byte[] IMAGE =
      Images.png(new BufferedImage(12, 9, BufferedImage.TYPE_INT_RGB));

  @TempDir private Path folder;

  private ImageUploads uploads() throws IOException {
    ImageUploads uploads = new ImageUploads(folder.resolve("uploads"));
    uploads.create("pets");
    return uploads;
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> folder.relativize(file).toString().replace('\\', '/'))
          .sorted()
          .toList();
    }
  }

  @Test
  void theReadersOfDataSetsReadWhatWasUploaded() throws IOException {
    ImageUploads uploads = uploads();
    uploads.add("pets", "cats/one.PNG", IMAGE);
    uploads.add("pets", "dogs/of the neighbours/two.png", IMAGE);
    ImageUploads.DataSet dataSet = uploads.add("pets", "dogs/two.png", IMAGE);
    ImageDataSet read =
        ImageFolder.read(uploads.find("pets").orElseThrow(), ImageFileOptions.of(8, 8)).images();

    assertThat(dataSet).isEqualTo(new ImageUploads.DataSet("pets", 3, 3L * IMAGE.length));
    assertThat(new ImageUploads(folder.resolve("uploads")).all()).containsExactly(dataSet);
    assertThat(read.classNames()).containsExactly("cats", "dogs");
    assertThat(read.size()).isEqualTo(3);
    assertThat(files())
        .containsExactly(
            "uploads/pets/cats/000000.png",
            "uploads/pets/dogs/000001.png",
            "uploads/pets/dogs/000002.png");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../evil.png",
        "../../cats/evil.png",
        "/evil.png",
        ".hidden/evil.png",
        "cats./evil.png",
        "evil.sh",
        "evil",
        "a\nb/evil.png",
        "a\\b/evil.png",
        ""
      })
  void namesThatLeadElsewhereAreRefused(String path) throws IOException {
    ImageUploads uploads = uploads();

    assertThatThrownBy(() -> uploads.add("pets", path, IMAGE))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("CLASS/FILE");
    assertThat(files()).isEmpty();
  }

  @Test
  void whatCannotBeDecodedIsRefused() throws IOException {
    ImageUploads uploads = uploads();
    byte[] script = "#!/bin/sh\necho evil\n".getBytes(StandardCharsets.UTF_8);

    assertThatThrownBy(() -> uploads.add("pets", "cats/1.png", script))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("cannot be read")
        .hasMessageNotContaining("/tmp");
    assertThat(files()).isEmpty();
  }

  @Test
  void aNameIsTakenOnceUntilItsImagesAreRemoved() throws IOException {
    ImageUploads uploads = uploads();
    uploads.add("pets", "one.png", IMAGE);
    assertThatThrownBy(() -> uploads.create("pets")).isInstanceOf(IllegalStateException.class);
    uploads.remove("pets");

    assertThat(uploads.find("pets")).isEmpty();
    assertThat(uploads.create("pets").images()).isZero();
    assertThat(uploads.find("..")).isEmpty();
  }

  /**
   * As large as a data set may be, without its bytes: what is written of a sparse file is nothing.
   */
  @Test
  void aDataSetHasOnlySoManyBytes() throws IOException {
    uploads().add("pets", "one.png", IMAGE);
    try (RandomAccessFile large =
        new RandomAccessFile(folder.resolve("uploads/pets/000001.png").toFile(), "rw")) {
      large.setLength(ImageUploads.MOST_BYTES - 2 * IMAGE.length);
    }
    ImageUploads full = new ImageUploads(folder.resolve("uploads"));

    assertThat(full.add("pets", "last.png", IMAGE).bytes()).isEqualTo(ImageUploads.MOST_BYTES);
    assertThatThrownBy(() -> full.add("pets", "more.png", IMAGE))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("start the service with a folder of images");
    assertThat(files()).hasSize(3);
  }

  @Test
  void thereAreOnlySoManyDataSets() throws IOException {
    ImageUploads uploads = uploads();
    for (int i = 1; i < ImageUploads.MOST_DATA_SETS; i++) {
      uploads.create("set-" + i);
    }
    assertThatThrownBy(() -> uploads.create("more"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("remove one");
  }
}
