package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.image.Images;
import org.ddpm4j.diffusion.image.Normalization;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

class TinyImageNetTest {

  @TempDir private Path root;

  @BeforeEach
  void writeTree() throws IOException {
    Path data = root.resolve(TinyImageNet.ARCHIVE_FOLDER);
    for (int i = 0; i < 3; i++) {
      String wnid = "n0000000" + (3 - i);
      for (int j = 0; j < 2; j++) {
        Path file = data.resolve("train/" + wnid + "/images/" + wnid + "_" + j + ".JPEG");
        if (i == 1 && j == 1) {
          ImageFileFixture.grey(file, 64, 64, 200);
        } else {
          ImageFileFixture.plain(file, 64, 64, 0x205080 + 0x100000 * i);
        }
      }
      Files.writeString(data.resolve("train/" + wnid + "/" + wnid + "_boxes.txt"), "not read");
      ImageFileFixture.plain(data.resolve("val/images/val_" + i + ".JPEG"), 64, 64, 0x404040);
    }
    Files.writeString(data.resolve("wnids.txt"), "n00000003\nn00000002\nn00000001\n");
    Files.writeString(
        data.resolve("words.txt"),
        "n00000001\tgoldfish, Carassius auratus\nn00000002\tcrane\nn00000003\tcrane\n");
    Files.writeString(
        data.resolve("val/val_annotations.txt"),
        "val_0.JPEG\tn00000001\t0\t32\t44\t62\nval_1.JPEG\tn00000003\t0\t0\t1\t1\n"
            + "val_2.JPEG\tn00000001\t1\t1\t2\t2\n");
  }

  private DataSources sources() {
    return DataSources.ofHost().withDataFolder(root);
  }

  @Test
  void trainingImagesAreInTheOrderOfTheClasses() throws IOException {
    ImageDataSet data = TinyImageNet.load(Split.TRAIN, sources());
    assertThat(data.size()).isEqualTo(6);
    assertThat(data.shape()).isEqualTo(new ImageShape(3, 64, 64));
    assertThat(data.classNames())
        .containsExactly("crane (n00000003)", "crane (n00000002)", "goldfish");
    assertThat(data.label(0)).isZero();
    assertThat(data.label(5)).isEqualTo(2);
    assertThat(Byte.toUnsignedInt(data.pixels(4)[0])).isCloseTo(0x40, within(3));
    assertThat(data.onlyClass("goldfish").size()).isEqualTo(2);
  }

  @Test
  void greyPhotographsHaveThreeEqualChannels() throws IOException {
    byte[] grey = TinyImageNet.load(Split.TRAIN, sources()).pixels(3);
    for (byte level : grey) {
      assertThat(Byte.toUnsignedInt(level)).isEqualTo(200);
    }
  }

  @Test
  void validationImagesHaveTheClassesOfTheirAnnotations() throws IOException {
    ImageDataSet data = TinyImageNet.load(Split.TEST, sources());
    assertThat(data.size()).isEqualTo(3);
    assertThat(data.label(0)).isZero();
    assertThat(data.label(1)).isEqualTo(2);
    assertThat(data.label(2)).isEqualTo(2);
  }

  @Test
  void picturesOfNormalisedImagesAreTheOriginals() throws IOException {
    ImageDataSet data = TinyImageNet.load(Split.TRAIN, sources());
    assertThat(data.normalization()).isEqualTo(Normalization.IMAGENET);
    INDArray batch = data.batch(3).getFeatures();
    // A grey of 200: (200/255 - 0.406)/0.225 in blue.
    assertThat(batch.getDouble(0, 2, 5, 5)).isCloseTo(1.68139, within(1e-4));
    BufferedImage picture = Images.toPicture(batch.slice(0), data.normalization());
    assertThat(picture.getRGB(10, 10)).isEqualTo(0xFFC8C8C8);
    INDArray other = data.withNormalization(Normalization.SYMMETRIC).batch(3).getFeatures();
    assertThat(other.getFloat(0, 2, 5, 5)).isEqualTo((float) (200 / 127.5 - 1));
    assertThat(data.withNormalization(Normalization.SYMMETRIC).fingerprint())
        .isEqualTo(data.fingerprint());
  }

  @Test
  void sizeAndColoursCanBeOthers() throws IOException {
    ImageFileOptions options = ImageFileOptions.of(16, 8).withColors(ColorMode.GRAYSCALE);
    ImageDataSet data = TinyImageNet.load(Split.TRAIN, sources(), options).images();
    assertThat(data.shape()).isEqualTo(new ImageShape(1, 16, 8));
    assertThat(data.normalization()).isEqualTo(Normalization.SYMMETRIC);
  }

  @Test
  void whatIsMissingOrWrongIsNamed() throws IOException {
    Path data = root.resolve(TinyImageNet.ARCHIVE_FOLDER);
    Files.delete(data.resolve("val/images/val_1.JPEG"));
    assertThatIOException()
        .isThrownBy(() -> TinyImageNet.load(Split.TEST, sources()))
        .withMessageContaining("1 of 3 image files cannot be read")
        .withMessageContaining("val_1.JPEG: it does not exist");
    Files.writeString(data.resolve("val/val_annotations.txt"), "../x.JPEG\tn00000001\n");
    assertThatIOException()
        .isThrownBy(() -> TinyImageNet.load(Split.TEST, sources()))
        .withMessageContaining("has the line 1 '../x.JPEG");
    Files.delete(data.resolve("val/val_annotations.txt"));
    assertThatIOException()
        .isThrownBy(() -> TinyImageNet.load(Split.TEST, sources()))
        .withMessageContaining("val_annotations.txt is missing");
    Files.writeString(data.resolve("wnids.txt"), "../../etc\n");
    assertThatIOException()
        .isThrownBy(() -> TinyImageNet.load(Split.TRAIN, sources()))
        .withMessageContaining("lists the class '../../etc'");
    Files.writeString(data.resolve("wnids.txt"), "n1\n");
    assertThatIOException()
        .isThrownBy(() -> TinyImageNet.load(Split.TRAIN, sources()))
        .withMessageContaining("is missing, though wnids.txt lists the class");
    Files.delete(data.resolve("wnids.txt"));
    assertThatIOException()
        .isThrownBy(() -> TinyImageNet.load(Split.TRAIN, sources()))
        .withMessageContaining("lacks wnids.txt; expected the files of TinyImageNet");
  }

  /** As many courses have it: the validation images in folders of their classes. */
  @Test
  void validationImagesMayBeSortedIntoTheirClasses() throws IOException {
    ImageDataSet published = TinyImageNet.load(Split.TEST, sources());
    Path part = root.resolve(TinyImageNet.ARCHIVE_FOLDER).resolve("val");
    for (String wnid : new String[] {"n00000001", "n00000002", "n00000003"}) {
      Files.createDirectories(part.resolve(wnid + "/images"));
    }
    Files.move(part.resolve("images/val_0.JPEG"), part.resolve("n00000001/images/val_0.JPEG"));
    Files.move(part.resolve("images/val_1.JPEG"), part.resolve("n00000003/images/val_1.JPEG"));
    Files.move(part.resolve("images/val_2.JPEG"), part.resolve("n00000001/images/val_2.JPEG"));
    // The emptied folder and the list may be left.
    assertThat(TinyImageNet.load(Split.TEST, sources()).fingerprint())
        .isEqualTo(published.fingerprint());
    Files.delete(part.resolve("images"));
    Files.delete(part.resolve("val_annotations.txt"));
    assertThat(TinyImageNet.load(Split.TEST, sources()).fingerprint())
        .isEqualTo(published.fingerprint());
    // Without a folder for the images of a class.
    Files.move(part.resolve("n00000003/images/val_1.JPEG"), part.resolve("n00000003/val_1.JPEG"));
    assertThat(TinyImageNet.load(Split.TEST, sources()).fingerprint())
        .isEqualTo(published.fingerprint());
  }
}
