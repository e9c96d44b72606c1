package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
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

  /** A picture that begins in the second row and column of its screen, as viewers show it. */
  @Test
  void aPictureOfAGifFileLiesWhereTheFileSays() throws IOException {
    ByteBuffer gif = ByteBuffer.allocate(100).order(ByteOrder.LITTLE_ENDIAN);
    gif.put("GIF89a".getBytes(StandardCharsets.US_ASCII)).putShort((short) 4).putShort((short) 3);
    gif.put(new byte[] {(byte) 0x81, 0, 0, 0, 0, 0, 10, 20, 30, 40, 50, 60, 0, 0, 0});
    // An extension that says that colour 2 is transparent.
    gif.put(new byte[] {'!', (byte) 0xf9, 4, 1, 0, 0, 2, 0});
    gif.put(new byte[] {',', 1, 0, 1, 0, 2, 0, 2, 0, 0, 2});
    // Codes of three bits: clear, two pixels, clear, two pixels, end.
    int bits = 0;
    int[] codes = {4, 1, 2, 4, 1, 1, 5};
    for (int i = 0; i < codes.length; i++) {
      bits |= codes[i] << 3 * i;
    }
    gif.put(new byte[] {3, (byte) bits, (byte) (bits >> 8), (byte) (bits >> 16), 0, ';'});
    Path file = Files.write(folder.resolve("a.gif"), Arrays.copyOf(gif.array(), gif.position()));
    int white = 255;
    assertThat(Arrays.copyOf(read(file, 3, 4), 12))
        .containsExactly(white, white, white, white, white, 10, white, white, white, 10, 10, white);
  }

  /** The JDK's reader forgets the transparent one of some sixteen greys. */
  @Test
  void theTransparentGreyOfFourBitsIsWhite() throws IOException {
    for (int transparent = 0; transparent < 16; transparent++) {
      ByteArrayOutputStream png = new ByteArrayOutputStream();
      png.write(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
      chunk(png, "IHDR", 0, 0, 0, 16, 0, 0, 0, 1, 4, 0, 0, 0, 0);
      chunk(png, "tRNS", 0, transparent);
      // A stored block of one row: no filter, and two greys in a byte.
      int[] row = {0, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
      byte[] plain = new byte[row.length];
      for (int i = 0; i < row.length; i++) {
        plain[i] = (byte) row[i];
      }
      Deflater deflater = new Deflater();
      deflater.setInput(plain);
      deflater.finish();
      byte[] deflated = new byte[100];
      int length = deflater.deflate(deflated);
      deflater.end();
      int[] data = new int[length];
      for (int i = 0; i < length; i++) {
        data[i] = deflated[i];
      }
      chunk(png, "IDAT", data);
      chunk(png, "IEND");
      Path file = Files.write(folder.resolve("grey.png"), png.toByteArray());
      int[] expected = new int[16];
      for (int x = 0; x < 16; x++) {
        expected[x] = x == transparent ? 255 : 17 * x;
      }
      assertThat(Arrays.copyOf(read(file, 1, 16), 16)).containsExactly(expected);
    }
  }

  private static void chunk(ByteArrayOutputStream png, String name, int... data)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(4 + data.length);
    bytes.put(name.getBytes(StandardCharsets.US_ASCII));
    for (int value : data) {
      bytes.put((byte) value);
    }
    CRC32 crc = new CRC32();
    crc.update(bytes.array());
    png.write(ByteBuffer.allocate(4).putInt(data.length).array());
    png.write(bytes.array());
    png.write(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
  }

  /** TIFF 6.0, tag 338: not known, multiplied, opacity. */
  @ParameterizedTest
  @CsvSource({"0, 10, 20, 30", "1, 214, 224, 234", "2, 206, 208, 210"})
  void theFourthSampleOfATiffFileIsWhatTheFileSays(int extra, int red, int green, int blue)
      throws IOException {
    int[][] entries = {
      {256, 1, 1},
      {257, 1, 1},
      {258, 4, 8},
      {259, 1, 1},
      {262, 1, 2},
      {273, 1, 16},
      {277, 1, 4},
      {278, 1, 1},
      {279, 1, 4},
      {338, 1, extra}
    };
    ByteBuffer tiff = ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN);
    tiff.put(new byte[] {'I', 'I', 42, 0}).putInt(20);
    // The bits of each sample, and the one pixel.
    tiff.putShort((short) 8).putShort((short) 8).putShort((short) 8).putShort((short) 8);
    tiff.put(new byte[] {10, 20, 30, 51}).putShort((short) entries.length);
    for (int[] entry : entries) {
      tiff.putShort((short) entry[0]).putShort((short) 3).putInt(entry[1]).putInt(entry[2]);
    }
    Path file = Files.write(folder.resolve("one.tif"), tiff.array());
    assertThat(read(file, 1, 1)).containsExactly(red, green, blue);
  }

  /**
   * One pixel of 8 bits a sample.
   *
   * @param extra what the sample is that is no colour, -1 where there is none
   */
  private Path tiff(int compression, int photometric, byte[] pixel, int extra) throws IOException {
    int[][] entries = {
      {256, 1, 1},
      {257, 1, 1},
      {258, pixel.length, 8},
      {259, 1, compression},
      {262, 1, photometric},
      {273, 1, 8 + 2 * pixel.length},
      {277, 1, pixel.length},
      {278, 1, 1},
      {279, 1, pixel.length},
      {338, 1, extra}
    };
    int directory = 8 + 4 * pixel.length;
    int count = extra < 0 ? entries.length - 1 : entries.length;
    ByteBuffer tiff = ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN);
    tiff.put(new byte[] {'I', 'I', 42, 0}).putInt(directory);
    for (int i = 0; i < pixel.length; i++) {
      tiff.putShort((short) 8);
    }
    tiff.put(pixel).position(directory).putShort((short) count);
    for (int[] entry : Arrays.copyOf(entries, count)) {
      tiff.putShort((short) entry[0]).putShort((short) 3).putInt(entry[1]).putInt(entry[2]);
    }
    return Files.write(folder.resolve("one.tif"), tiff.array());
  }

  /** By (255-C)(255-K)/255 on white; of multiplied inks each is divided by the opacity before. */
  @ParameterizedTest
  @CsvSource({"0, 188, 122, 204", "1, 194, 153, 204", "2, 228, 202, 235"})
  void inksOfATiffFileHaveAnOpacityWhereTheFileSaysSo(int extra, int red, int green, int blue)
      throws IOException {
    byte[] inks = {20, 102, 0, 51, 102};
    assertThat(read(tiff(1, 5, inks, extra), 1, 1)).containsExactly(red, green, blue);
  }

  @ParameterizedTest
  @CsvSource({
    "50000, zstd",
    "34926, zstd",
    "34925, LZMA",
    "50001, WebP",
    "34712, JPEG 2000",
    "34887, LERC",
    "34661, JBIG",
    "52546, JPEG XL",
    "12345, method 12345"
  })
  void whatIsCompressedOtherwiseIsNotDamaged(int compression, String name) throws IOException {
    Path file = tiff(compression, 2, new byte[] {10, 20, 30}, -1);
    assertThatIOException()
        .isThrownBy(() -> read(file, 1, 1))
        .withMessageContaining("it is compressed by " + name + ", which is not read here")
        .withMessageContaining("write it with LZW or deflate, or as PNG");
  }

  /** CIELab, ICCLab, ITULab: the reader takes the white of D65 for that of D50. */
  @ParameterizedTest
  @ValueSource(ints = {8, 9, 10})
  void coloursInLabAreRefused(int photometric) throws IOException {
    Path file = tiff(1, photometric, new byte[] {(byte) 128, 20, 10}, -1);
    assertThatIOException()
        .isThrownBy(() -> read(file, 1, 1))
        .withMessageContaining("its colours are CIELAB, which is not read here (write it in RGB)");
  }

  /** A mask, a camera's raw data, a number of nobody's. */
  @ParameterizedTest
  @ValueSource(ints = {4, 32803, 34892, 77})
  void whatTheReaderDoesNotKnowIsNotDamaged(int photometric) throws IOException {
    Path file = tiff(1, photometric, new byte[] {10, 20, 30}, -1);
    assertThatIOException()
        .isThrownBy(() -> read(file, 1, 1))
        .withMessageContaining("it is of a kind that is not read here")
        .withMessageContaining("PhotometricInterpretation value: " + photometric)
        .withMessageContaining("write it as PNG");
  }

  /** With the marker of JPEG's lossless process in the place of that of the usual one. */
  @Test
  void aJpegOfAnotherProcessIsNotDamaged() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ImageIO.write(new BufferedImage(8, 8, BufferedImage.TYPE_BYTE_GRAY), "jpg", out);
    byte[] jpeg = out.toByteArray();
    for (int i = 0; i < jpeg.length - 1; i++) {
      if (jpeg[i] == (byte) 0xff && jpeg[i + 1] == (byte) 0xc0) {
        jpeg[i + 1] = (byte) 0xc3;
      }
    }
    Path file = Files.write(folder.resolve("lossless.jpg"), jpeg);
    assertThatIOException()
        .isThrownBy(() -> read(file, 8, 8))
        .withMessageContaining("it is of a kind that is not read here (Unsupported JPEG process");
  }

  @Test
  void signedSamplesAreNoLevels() throws IOException {
    int[][] entries = {
      {256, 1}, {257, 1}, {258, 8}, {259, 1}, {262, 1}, {273, 8}, {277, 1}, {278, 1}, {279, 1},
      {339, 2}
    };
    ByteBuffer tiff = ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN);
    tiff.put(new byte[] {'I', 'I', 42, 0}).putInt(12).putInt(-100).putShort((short) entries.length);
    for (int[] entry : entries) {
      tiff.putShort((short) entry[0]).putShort((short) 3).putInt(1).putInt(entry[1]);
    }
    Path file = Files.write(folder.resolve("one.tif"), tiff.array());
    assertThatIOException()
        .isThrownBy(() -> read(file, 1, 1))
        .withMessageContaining("its samples are signed whole numbers");
  }

  /**
   * Seventeen colours and two transparent rows, by libwebp 1.6, which leaves the transparent colour
   * out of the palette: the reader gives these rows one of the others.
   */
  @Test
  void aPictureWhoseTransparencyTheReaderLosesIsRefused() throws IOException {
    String lossless =
        "UklGRo4AAABXRUJQVlA4TIIAAAAvB0ABEIfANpLkRGKmWDB/V6VYZNFjIGwj20qFSxnkmlIAQw90"
            + "Sz/6XQM2AQCkwbUHn2YmAgm4ffsXxDf/8RPTlE+rDE67/pzqMs0ls+GAVSR0USQXsxVODf6/OxLf"
            + "SIavoKCNJGWP4dm/4LcQ0f98Xz8MUIrCs6PGGathGyZb7xwC";
    Path file = Files.write(folder.resolve("icon.webp"), Base64.getDecoder().decode(lossless));
    assertThatIOException()
        .isThrownBy(() -> read(file, 6, 8))
        .withMessageContaining("which of its pixels are transparent cannot be told")
        .withMessageContaining("write it as PNG");
  }

  /**
   * Masks are such: 1,024 by 1,024 pixels of one colour. TwelveMonkeys 3.15 takes it for a trap.
   */
  @Test
  void aFlatPictureOfAFewBytesIsRead() throws IOException {
    String flat =
        "UklGRlAAAABXRUJQVlA4TEMAAAAv/8P/AAdQhSKXov8BgUCyv/kERfQ/4z//+c9//vOf//"
            + "znP//5z3/+85///Oc///nPf/7zn//85z//+c9//vOf//zfAA==";
    Path file = Files.write(folder.resolve("flat.webp"), Base64.getDecoder().decode(flat));
    assertThat(read(file, 1, 1)).containsExactly(200, 10, 20);
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
