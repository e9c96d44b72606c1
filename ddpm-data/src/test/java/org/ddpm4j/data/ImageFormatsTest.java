package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.ddpm4j.diffusion.ImageShape;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Files of many kinds as Pillow reads them; {@code make_images.py}, beside the files, made them and
 * the pictures expected of them.
 */
class ImageFormatsTest {

  @TempDir private Path folder;

  private static Path resources() {
    try {
      return Path.of(ImageFormatsTest.class.getResource("pillow").toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  private static List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(resources().resolve("files"))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  private static Path file(String name) {
    return resources().resolve("files").resolve(name);
  }

  private static BufferedImage expected(String name) throws IOException {
    return ImageIO.read(resources().resolve("expected").resolve(name + ".png").toFile());
  }

  /** {@code [3,H,W]} of a picture of the JDK's. */
  private static int[] levels(BufferedImage image) {
    int plane = image.getHeight() * image.getWidth();
    int[] levels = new int[3 * plane];
    for (int i = 0; i < plane; i++) {
      int rgb = image.getRGB(i % image.getWidth(), i / image.getWidth());
      for (int c = 0; c < 3; c++) {
        levels[c * plane + i] = rgb >> 8 * (2 - c) & 255;
      }
    }
    return levels;
  }

  private static int[] read(Path file, int height, int width) throws IOException {
    byte[] pixels = ImageFile.read(file, new ImageShape(3, height, width)).pixels(0);
    int[] levels = new int[pixels.length];
    for (int i = 0; i < pixels.length; i++) {
      levels[i] = Byte.toUnsignedInt(pixels[i]);
    }
    return levels;
  }

  private static double[] differences(int[] levels, int[] others) {
    double most = 0;
    double sum = 0;
    for (int i = 0; i < levels.length; i++) {
      int difference = Math.abs(levels[i] - others[i]);
      most = Math.max(most, difference);
      sum += difference;
    }
    return new double[] {most, sum / levels.length};
  }

  @ParameterizedTest
  @MethodSource("files")
  void filesAreReadAsPillowReadsThem(String name) throws IOException {
    BufferedImage expected = expected(name);
    int[] read = read(file(name), expected.getHeight(), expected.getWidth());
    double[] differences = differences(read, levels(expected));
    // Of lossy WebP and JPEG in TIFF the chroma is brought to full size in different ways.
    boolean sampled = name.equals("lossy.webp") || name.equals("jpeg.tif");
    assertThat(differences[0]).isLessThanOrEqualTo(sampled ? 20 : 1);
    assertThat(differences[1]).isLessThanOrEqualTo(sampled ? 4 : 0.1);
  }

  /** Turning is the last step; the middle that is cut out must be that of the turned picture. */
  @Test
  void whatIsTurnedIsScaledAndCutAsIfItWereStoredSo() throws IOException {
    for (int number = 1; number <= 8; number++) {
      String name = "turned" + number + ".png";
      Path stored = folder.resolve(name);
      ImageIO.write(expected(name), "png", stored.toFile());
      for (int[] size : new int[][] {{7, 5}, {4, 11}, {23, 9}}) {
        int[] turned = read(file(name), size[0], size[1]);
        int[] asStored = read(stored, size[0], size[1]);
        // Sums of the same numbers in another order, rounded.
        assertThat(differences(turned, asStored)[0]).isLessThanOrEqualTo(1);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"lzw.tif", "rgb.tiff", "lossless.webp", "lossy.webp", "cmyk.jpg"})
  void aFileThatIsCutOffIsCorrupt(String name) throws IOException {
    byte[] bytes = Files.readAllBytes(file(name));
    Path cut = Files.write(folder.resolve(name), Arrays.copyOf(bytes, bytes.length * 2 / 3));
    assertThatIOException()
        .isThrownBy(() -> read(cut, 10, 16))
        .withMessageContaining(name + " cannot be read: it is ");
  }

  /** EXIF data that lies about its length must not cost the picture. */
  @Test
  void damagedExifDataIsNoDamageToThePicture() throws IOException {
    byte[] bytes = Files.readAllBytes(file("turned6.jpg"));
    int exif = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("Exif");
    for (int at = exif + 6; at < exif + 20; at++) {
      byte[] damaged = bytes.clone();
      damaged[at] = (byte) 0xff;
      Path file = Files.write(folder.resolve("damaged.jpg"), damaged);
      assertThat(read(file, 8, 8)).hasSize(3 * 8 * 8);
    }
  }

  /** One of a telescope's or a depth camera's: it would be black, and NaN too. */
  @ParameterizedTest
  @CsvSource({"3, floating-point", "1, whole"})
  void samplesOfThirtyTwoBitsAreNoLevels(int sampleFormat, String numbers) throws IOException {
    int[][] entries = {
      {256, 1},
      {257, 1},
      {258, 32},
      {259, 1},
      {262, 1},
      {273, 8},
      {277, 1},
      {278, 1},
      {279, 4},
      {339, sampleFormat}
    };
    ByteBuffer tiff = ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN);
    tiff.put(new byte[] {'I', 'I', 42, 0}).putInt(12).putInt(Float.floatToIntBits(0.5f));
    tiff.putShort((short) entries.length);
    for (int[] entry : entries) {
      // A short number, of which there is one.
      tiff.putShort((short) entry[0]).putShort((short) 3).putInt(1).putInt(entry[1]);
    }
    Path file = Files.write(folder.resolve("one.tif"), tiff.array());
    assertThatIOException()
        .isThrownBy(() -> read(file, 1, 1))
        .withMessageContaining("its samples are " + numbers)
        .withMessageContaining("write it with 8 or 16 bits");
  }

  @Test
  void whatAnotherFormatIsIsSaid() throws IOException {
    Path pointer =
        Files.writeString(
            folder.resolve("a.png"), "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
    assertThatIOException()
        .isThrownBy(() -> read(pointer, 2, 2))
        .withMessageContaining("a Git LFS pointer")
        .withMessageContaining("git lfs pull");
    Path page = Files.writeString(folder.resolve("b.jpg"), "\n<!DOCTYPE html><html>404</html>");
    assertThatIOException()
        .isThrownBy(() -> read(page, 2, 2))
        .withMessageContaining("a web page (HTML)");
    byte[] avif = "\0\0\0\u001cftypavif\0\0\0\0".getBytes(StandardCharsets.ISO_8859_1);
    Path photograph = Files.write(folder.resolve("c.jpg"), avif);
    assertThatIOException()
        .isThrownBy(() -> read(photograph, 2, 2))
        .withMessageContaining("an AVIF image (convert it to PNG or JPEG)");
  }
}
