package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Hashtable;
import java.util.HexFormat;
import java.util.Map;
import java.util.zip.CRC32;
import org.ddpm4j.diffusion.ImageShape;
import org.ddpm4j.diffusion.image.Normalization;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageFolderTest {

  private static final ImageFileOptions SMALL = ImageFileOptions.of(2, 2);
  private static final int RED = 0xFF0000;
  private static final int BLUE = 0x0000FF;

  @TempDir private Path folder;

  private int[] levels(ImageDataSet data, int index) {
    byte[] bytes = data.pixels(index);
    int[] levels = new int[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      levels[i] = Byte.toUnsignedInt(bytes[i]);
    }
    return levels;
  }

  @Test
  void subFoldersAreClassesAndTheOrderIsThatOfThePaths() throws IOException {
    ImageFileFixture.plain(folder.resolve("dogs/b.png"), 4, 4, RED);
    ImageFileFixture.plain(folder.resolve("dogs/a/deep/er/z.bmp"), 4, 4, BLUE);
    ImageFileFixture.plain(folder.resolve("cats/c.GIF"), 4, 4, RED);
    ImageFileFixture.plain(folder.resolve("cats/.hidden.png"), 4, 4, RED);
    ImageFileFixture.plain(folder.resolve(".hidden/c.png"), 4, 4, RED);
    Files.writeString(folder.resolve("cats/notes.txt"), "Not an image.");

    LoadedImages loaded = ImageFolder.read(folder, SMALL);

    ImageDataSet data = loaded.images();
    assertThat(loaded.skipped()).isEmpty();
    assertThat(data.shape()).isEqualTo(new ImageShape(3, 2, 2));
    assertThat(data.classNames()).containsExactly("cats", "dogs");
    assertThat(data.size()).isEqualTo(3);
    assertThat(levels(data, 0)).containsExactly(255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0);
    assertThat(levels(data, 1)).containsExactly(0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255);
    assertThat(data.label(0)).isZero();
    assertThat(data.label(1)).isEqualTo(1);
    assertThat(data.source()).isEqualTo("images of the folder " + folder);
    assertThat(data.normalization()).isEqualTo(Normalization.SYMMETRIC);
    assertThat(ImageFolder.read(folder, SMALL).images().fingerprint())
        .isEqualTo(data.fingerprint());
  }

  @Test
  void labelsMayBeLeftOutAndImagesMayLieAnywhere() throws IOException {
    ImageFileFixture.plain(folder.resolve("a.jpg"), 9, 5, RED);
    assertThat(ImageFolder.read(folder, SMALL).images().classNames()).containsExactly("images");
    ImageFileFixture.plain(folder.resolve("sub/b.jpeg"), 5, 9, RED);
    assertThat(ImageFolder.read(folder, SMALL).images().classNames()).containsExactly(".", "sub");
    ImageDataSet unlabelled = ImageFolder.read(folder, ImageFolder.Labels.NONE, SMALL).images();
    assertThat(unlabelled.classNames()).containsExactly("images");
    assertThat(unlabelled.size()).isEqualTo(2);
  }

  @Test
  void theShorterSideFitsAndTheMiddleIsKept() throws IOException {
    BufferedImage wide = new BufferedImage(12, 4, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < 4; y++) {
      for (int x = 4; x < 8; x++) {
        wide.setRGB(x, y, x < 6 ? RED : BLUE);
      }
    }
    ImageFileFixture.write(wide, folder.resolve("a.png"));
    ImageDataSet square = ImageFolder.read(folder, ImageFileOptions.of(4, 4)).images();
    assertThat(levels(square, 0)).startsWith(255, 255, 0, 0, 255, 255, 0, 0);
    ImageDataSet oblong = ImageFolder.read(folder, ImageFileOptions.of(4, 12)).images();
    assertThat(oblong.shape()).isEqualTo(new ImageShape(3, 4, 12));
    assertThat(levels(oblong, 0)).startsWith(0, 0, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0);
  }

  /** Java would take grey samples as linear light and brighten them: 100 would become 168. */
  @Test
  void levelsAreThoseOfTheFile() throws IOException {
    ImageFileFixture.grey(folder.resolve("a.png"), 3, 3, 100);
    ImageFileFixture.grey(folder.resolve("b.jpg"), 16, 16, 100);
    BufferedImage deep = new BufferedImage(2, 2, BufferedImage.TYPE_USHORT_GRAY);
    deep.getRaster().setSamples(0, 0, 2, 2, 0, new int[] {25700, 25700, 25700, 25700});
    ImageFileFixture.write(deep, folder.resolve("c.png"));
    BufferedImage bits = new BufferedImage(2, 2, BufferedImage.TYPE_BYTE_BINARY);
    bits.setRGB(0, 0, 0xFFFFFF);
    ImageFileFixture.write(bits, folder.resolve("d.png"));

    ImageDataSet data = ImageFolder.read(folder, SMALL).images();

    for (int image = 0; image < 3; image++) {
      assertThat(levels(data, image)).as("image %d", image).containsOnly(100);
    }
    assertThat(levels(data, 3)).startsWith(255, 0, 0, 0, 255, 0, 0, 0);
    ImageDataSet grey = ImageFolder.read(folder, SMALL.withColors(ColorMode.GRAYSCALE)).images();
    assertThat(levels(grey, 1)).containsExactly(100, 100, 100, 100);
  }

  /** By hand: 0.299·200 + 0.587·100 + 0.114·50 = 124.2. */
  @Test
  void coloursBecomeTheirLuma() throws IOException {
    ImageFileFixture.plain(folder.resolve("a.png"), 2, 2, 0xC86432);
    ImageDataSet grey = ImageFolder.read(folder, SMALL.withColors(ColorMode.GRAYSCALE)).images();
    assertThat(levels(grey, 0)).containsExactly(124, 124, 124, 124);
    assertThat(ImageFolder.read(folder, SMALL).images().grayscale().pixels(0))
        .containsExactly(124, 124, 124, 124);
  }

  @Test
  void transparentPixelsLieOnWhite() throws IOException {
    BufferedImage colour = new BufferedImage(2, 2, BufferedImage.TYPE_INT_ARGB);
    colour.setRGB(0, 0, 0xFF0A0B0C);
    colour.setRGB(1, 0, 0x800000FF);
    ImageFileFixture.write(colour, folder.resolve("a.png"));
    ComponentColorModel greyAndAlpha =
        new ComponentColorModel(
            ColorSpace.getInstance(ColorSpace.CS_GRAY),
            true,
            false,
            Transparency.TRANSLUCENT,
            DataBuffer.TYPE_BYTE);
    BufferedImage grey =
        new BufferedImage(
            greyAndAlpha,
            greyAndAlpha.createCompatibleWritableRaster(2, 2),
            false,
            new Hashtable<>());
    grey.getRaster().setPixel(0, 0, new int[] {7, 255});
    grey.getRaster().setPixel(1, 0, new int[] {55, 51});
    ImageFileFixture.write(grey, folder.resolve("b.png"));

    ImageDataSet data = ImageFolder.read(folder, SMALL).images();

    // Half transparent blue: 255·(1 - 128/255) = 127.
    assertThat(levels(data, 0))
        .containsExactly(10, 127, 255, 255, 11, 127, 255, 255, 12, 255, 255, 255);
    // A fifth of 55 and four fifths of 255.
    assertThat(levels(data, 1)).startsWith(7, 215, 255, 255);
  }

  @Test
  void aPhotographKeepsItsColours() throws IOException {
    ImageFileFixture.plain(folder.resolve("a.jpg"), 64, 48, 0x3C78B4);
    int[] levels = levels(ImageFolder.read(folder, SMALL).images(), 0);
    assertThat(levels[0]).isCloseTo(0x3C, within(3));
    assertThat(levels[4]).isCloseTo(0x78, within(3));
    assertThat(levels[8]).isCloseTo(0xB4, within(3));
  }

  @Test
  void classAndNumberOfImagesCanBeLimited() throws IOException {
    for (int i = 0; i < 6; i++) {
      ImageFileFixture.grey(folder.resolve("one/" + i + ".png"), 2, 2, i);
      ImageFileFixture.grey(folder.resolve("two/" + i + ".png"), 2, 2, 10 + i);
    }
    ImageDataSet two = ImageFolder.read(folder, SMALL.withOnlyClass("Two")).images();
    assertThat(two.size()).isEqualTo(6);
    assertThat(two.label(0)).isEqualTo(1);
    assertThat(two.source()).endsWith(", class Two");
    assertThat(ImageFolder.read(folder, SMALL.withOnlyClass("0")).images().label(0)).isZero();
    ImageDataSet four = ImageFolder.read(folder, SMALL.withMaxImages(4)).images();
    assertThat(four.size()).isEqualTo(4);
    assertThat(levels(four, 1)).startsWith(3);
    assertThat(levels(four, 2)).startsWith(10);
    assertThat(ImageFolder.read(folder, SMALL.withMaxImages(99)).images().size()).isEqualTo(12);
    assertThatIOException()
        .isThrownBy(() -> ImageFolder.read(folder, SMALL.withOnlyClass("three")))
        .withMessage(
            "images of the folder "
                + folder
                + ": There is no class three; choose a number from 0 to 1 or one of the names one,"
                + " two.");
  }

  // ---- files that cannot be read

  private void withBadOnes() throws IOException {
    ImageFileFixture.plain(folder.resolve("x/a.png"), 2, 2, RED);
    ImageFileFixture.plain(folder.resolve("x/z.png"), 2, 2, BLUE);
    ImageFileFixture.truncate(ImageFileFixture.plain(folder.resolve("x/b.png"), 99, 99, RED));
    Files.write(folder.resolve("x/c.jpeg"), new byte[0]);
    Files.writeString(folder.resolve("x/d.png"), "This is text.");
  }

  /** Both read alike in Java, which would have left one of them out. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void namesThatAreNoTextAreRefused() throws IOException, InterruptedException {
    ImageFileFixture.plain(folder.resolve("a.png"), 2, 2, RED);
    String twoNames =
        "cp a.png \"$(printf 'caf\\351.png')\" && cp a.png \"$(printf 'caf\\350.png')\"";
    Process shell = new ProcessBuilder("sh", "-c", twoNames).directory(folder.toFile()).start();
    assertThat(shell.waitFor()).isZero();
    for (CorruptFiles corrupt : CorruptFiles.values()) {
      assertThatIOException()
          .isThrownBy(() -> ImageFolder.read(folder, SMALL.withCorrupt(corrupt)))
          .withMessageContaining("is no text in the encoding of file names")
          .withMessageEndingWith("; rename the file, or the folder that is called so.");
    }
  }

  @Test
  void corruptFilesAreRefusedByTheNameOfTheFirst() throws IOException {
    withBadOnes();
    assertThatIOException()
        .isThrownBy(() -> ImageFolder.read(folder, SMALL))
        .withMessageStartingWith(
            "3 of 5 image files cannot be read, the first of them " + folder.resolve("x/b.png"))
        .withMessageEndingWith("; repair or remove them, or let corrupt files be skipped.");
  }

  @Test
  void corruptFilesCanBeSkippedAndAreListed() throws IOException {
    withBadOnes();
    LoadedImages loaded = ImageFolder.read(folder, SMALL.withCorrupt(CorruptFiles.SKIP));
    assertThat(loaded.images().size()).isEqualTo(2);
    assertThat(levels(loaded.images(), 1)).endsWith(255, 255, 255, 255);
    assertThat(loaded.images().source()).endsWith(", without 3 files that cannot be read");
    assertThat(loaded.skipped())
        .extracting(skipped -> skipped.file().getFileName().toString())
        .containsExactly("b.png", "c.jpeg", "d.png");
    assertThat(loaded.skipped())
        .extracting(LoadedImages.Skipped::reason)
        .element(1)
        .isEqualTo("it is empty");
    assertThat(loaded.skipped().get(2).reason())
        .isEqualTo("its content is no JPEG, PNG, GIF, BMP, TIFF or WebP image");
  }

  @Test
  void aFolderOfNothingButCorruptFilesIsRefused() throws IOException {
    Files.writeString(folder.resolve("d.png"), "This is text.");
    assertThatIOException()
        .isThrownBy(() -> ImageFolder.read(folder, SMALL.withCorrupt(CorruptFiles.SKIP)))
        .withMessageContaining("1 of 1 image files cannot be read");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a.png", "a.jpg", "a.gif", "a.bmp"})
  void aFileThatIsCutOffIsCorrupt(String name) throws IOException {
    BufferedImage noise = new BufferedImage(60, 60, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 3600; i++) {
      noise.setRGB(i % 60, i / 60, i * 0x9E3779B1 & 0xFFFFFF);
    }
    Path file = ImageFileFixture.write(noise, folder.resolve(name));
    assertThat(ImageFolder.read(folder, SMALL).images().size()).isEqualTo(1);
    ImageFileFixture.truncate(file);
    assertThatIOException()
        .isThrownBy(() -> ImageFolder.read(folder, SMALL))
        .withMessageContaining(name);
  }

  /**
   * Every byte of a file in turn is another; whatever comes of it, it is an image or a sentence.
   */
  @ParameterizedTest
  @ValueSource(strings = {"a.png", "a.jpg", "a.gif", "a.bmp"})
  void damageNeverBecomesAnotherException(String name) throws IOException {
    Path file = ImageFileFixture.plain(folder.resolve(name), 5, 4, 0x123456);
    byte[] bytes = Files.readAllBytes(file);
    for (int i = 0; i < bytes.length; i++) {
      byte[] damaged = bytes.clone();
      damaged[i] ^= (byte) 0xFF;
      Files.write(file, damaged);
      try {
        assertThat(ImageFolder.read(folder, SMALL).images().size()).isEqualTo(1);
      } catch (IOException e) {
        assertThat(e.getMessage()).contains(name).endsWith(".");
      }
    }
  }

  /** Sixty kilobytes are claimed to be an image of 3.6 gigapixels. */
  @Test
  void anImageThatClaimsToBeHugeTakesNoMemory() throws IOException {
    Path file = ImageFileFixture.plain(folder.resolve("a.png"), 2, 2, RED);
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer header = ByteBuffer.wrap(bytes);
    header.putInt(16, 60_000).putInt(20, 60_000);
    CRC32 crc = new CRC32();
    crc.update(bytes, 12, 17);
    header.putInt(29, (int) crc.getValue());
    assertThat(HexFormat.of().formatHex(bytes, 12, 16)).isEqualTo("49484452");
    Files.write(file, bytes);
    assertThatIOException()
        .isThrownBy(() -> ImageFolder.read(folder, SMALL))
        .withMessageContaining("60,000 x 60,000 pixels are more than 67,108,864");
  }

  @Test
  void foldersWithoutImagesAreRefused() throws IOException {
    assertThatIOException()
        .isThrownBy(() -> ImageFolder.read(folder.resolve("nowhere"), SMALL))
        .withMessageContaining("does not exist or is not a folder");
    Files.writeString(folder.resolve("notes.txt"), "Not an image.");
    assertThatIOException()
        .isThrownBy(() -> ImageFolder.read(folder, SMALL))
        .withMessageContaining("holds no image files");
  }

  @Test
  void moreThanFitsIntoMemoryIsRefusedBeforeAnythingIsRead() throws IOException {
    ImageFileFixture.plain(folder.resolve("a.png"), 2, 2, RED);
    for (int i = 0; i < 40; i++) {
      Files.copy(folder.resolve("a.png"), folder.resolve("b" + i + ".png"));
    }
    assertThatIOException()
        .isThrownBy(() -> ImageFolder.read(folder, ImageFileOptions.of(20_000, 20_000)))
        .withMessageContaining("choose a smaller image size or fewer images");
    assertThatIllegalArgumentException().isThrownBy(() -> ImageFileOptions.of(0, 5));
    assertThatIllegalArgumentException().isThrownBy(() -> SMALL.withMaxImages(0));
  }

  /** A folder that links to itself. */
  @Test
  void linksAreFollowedButNotForEver() throws IOException {
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    ImageFileFixture.plain(elsewhere.resolve("a.png"), 2, 2, RED);
    Path data = Files.createDirectory(folder.resolve("data"));
    Files.createSymbolicLink(data.resolve("linked"), elsewhere);
    Files.createSymbolicLink(elsewhere.resolve("again"), elsewhere);
    assertThat(ImageFolder.read(data, SMALL).images().size()).isEqualTo(1);
  }

  /** As of git-annex without the contents, or of a disk that is not mounted. */
  @ParameterizedTest
  @ValueSource(strings = {"nothing", "gone.png"})
  void linksToNoFileAreNotLeftOutInSilence(String target) throws IOException {
    ImageFileFixture.plain(folder.resolve("a.png"), 2, 2, RED);
    Files.createSymbolicLink(folder.resolve("gone.png"), Path.of(target));
    Files.createSymbolicLink(folder.resolve("cats"), folder.resolve("nothing"));
    Files.createSymbolicLink(folder.resolve(".#lock.png"), Path.of("user@host.1"));
    assertThatIOException()
        .isThrownBy(() -> ImageFolder.read(folder, SMALL))
        .withMessageContaining("1 of 2 image files cannot be read")
        .withMessageContaining("gone.png: it is a link to a file that is not there;");
    LoadedImages loaded = ImageFolder.read(folder, SMALL.withCorrupt(CorruptFiles.SKIP));
    assertThat(loaded.images().size()).isEqualTo(1);
    assertThat(loaded.leftOut()).isEqualTo(Map.of("", 1));
  }

  @Test
  void theEndingsOfAllFormatsAreReadAndTheRestIsCounted() throws IOException {
    for (String name : new String[] {"a.JPG", "b.jpeg", "c.jpe", "d.jfif"}) {
      Path plain = ImageFileFixture.plain(folder.resolve("x.jpg"), 4, 4, RED);
      Files.move(plain, folder.resolve(name));
    }
    ImageFileFixture.plain(folder.resolve("e.tif"), 4, 4, RED);
    ImageFileFixture.plain(folder.resolve("f.tiff"), 4, 4, RED);
    for (String name : new String[] {"a.avif", "b.AVIF", "c.txt", "README", ".hidden.avif"}) {
      Files.writeString(folder.resolve(name), "not read");
    }
    LoadedImages loaded = ImageFolder.read(folder, SMALL);
    assertThat(loaded.images().size()).isEqualTo(6);
    assertThat(loaded.leftOut()).isEqualTo(Map.of("avif", 2, "txt", 1, "", 1));
    assertThat(loaded.describeLeftOut()).isEqualTo("2 .avif, 1 without an ending, 1 .txt");
  }

  @Test
  void aFolderOfFilesThatAreNotReadSaysWhatTheyAre() throws IOException {
    Files.writeString(folder.resolve("a.heic"), "not read");
    assertThatIOException()
        .isThrownBy(() -> ImageFolder.read(folder, SMALL))
        .withMessageContaining("holds no image files, in itself or in its sub-folders, but 1 .heic")
        .withMessageContaining(".webp.");
  }

  @ParameterizedTest
  @ValueSource(strings = {"val", "valid", "validation", "test"})
  void aFolderMayComeInTwoParts(String test) throws IOException {
    ImageFileFixture.plain(folder.resolve("train/cats/a.png"), 4, 4, RED);
    ImageFileFixture.plain(folder.resolve("train/dogs/b.png"), 4, 4, BLUE);
    ImageFileFixture.plain(folder.resolve(test + "/dogs/c.png"), 4, 4, BLUE);
    Files.writeString(folder.resolve("README.md"), "Not an image.");
    assertThat(ImageFolder.hasTestImages(folder)).isTrue();
    ImageDataSet training = ImageFolder.read(folder, SMALL).images();
    assertThat(training.classNames()).containsExactly("cats", "dogs");
    assertThat(training.size()).isEqualTo(2);
    ImageDataSet held =
        ImageFolder.read(folder, Split.TEST, ImageFolder.Labels.SUB_FOLDERS, SMALL).images();
    assertThat(held.classNames()).isEqualTo(training.classNames());
    assertThat(held.label(0)).isEqualTo(1);
    // A class of its own on the other side would have no number.
    ImageFileFixture.plain(folder.resolve(test + "/birds/c.png"), 4, 4, BLUE);
    assertThatIOException()
        .isThrownBy(
            () -> ImageFolder.read(folder, Split.TEST, ImageFolder.Labels.SUB_FOLDERS, SMALL))
        .withMessageContaining("of the class birds, of which there are no images to train on");
  }

  /** Railways have a class called so; only a folder with nothing else is in parts. */
  @Test
  void trainsAreAClassBesideOthers() throws IOException {
    ImageFileFixture.plain(folder.resolve("train/a.png"), 4, 4, RED);
    ImageFileFixture.plain(folder.resolve("test/b.png"), 4, 4, RED);
    ImageFileFixture.plain(folder.resolve("tram/c.png"), 4, 4, RED);
    assertThat(ImageFolder.hasTestImages(folder)).isFalse();
    assertThat(ImageFolder.read(folder, SMALL).images().classNames())
        .containsExactly("test", "train", "tram");
    assertThatIOException()
        .isThrownBy(() -> ImageFolder.read(folder, Split.TEST, ImageFolder.Labels.NONE, SMALL))
        .withMessageContaining("has no images to measure on");
  }

  @Test
  void aFileInPlaceOfAFolderIsNamed() throws IOException {
    Path archive = Files.write(folder.resolve("photos.zip"), new byte[] {'P', 'K', 3, 4, 0});
    assertThatIOException()
        .isThrownBy(() -> ImageFolder.read(archive, SMALL))
        .withMessageContaining("is a file, a ZIP archive (unpack it); expected a folder");
  }
}
