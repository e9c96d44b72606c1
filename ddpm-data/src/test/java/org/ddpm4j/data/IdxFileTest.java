package org.ddpm4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.ddpm4j.data.IdxBytes.gzip;
import static org.ddpm4j.data.IdxBytes.idx;
import static org.ddpm4j.data.IdxBytes.images;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IdxFileTest {

  private static final byte[] GOOD = images(2, 3, 4);

  @TempDir Path folder;

  @Test
  void plainAndGzipGiveTheSame() throws Exception {
    IdxFile plain = IdxFile.read(write(GOOD));
    IdxFile packed = IdxFile.read(write(gzip(GOOD)));

    for (IdxFile file : new IdxFile[] {plain, packed}) {
      assertThat(file.rank()).isEqualTo(3);
      assertThat(new int[] {file.size(0), file.size(1), file.size(2)}).containsExactly(2, 3, 4);
      ByteBuffer expected = ByteBuffer.wrap(GOOD, 16, 24).slice();
      assertThat(file.values()).isEqualTo(expected);
      assertThat(file.values().isReadOnly()).isTrue();
      assertThat(file.sha256())
          .isEqualTo(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(GOOD)));
    }
  }

  @Test
  void readsTwoGzipMembersAsOneFile() throws IOException {
    byte[] first = gzip(Arrays.copyOf(GOOD, 20));
    byte[] second = gzip(Arrays.copyOfRange(GOOD, 20, GOOD.length));

    assertThat(IdxFile.read(write(concat(first, second))).values().capacity()).isEqualTo(24);
  }

  @Test
  void readsAStreamAndLeavesItOpen() throws IOException {
    IdxFile file = IdxFile.read(new ByteArrayInputStream(gzip(GOOD)), "the stream");

    assertThat(file.name()).isEqualTo("the stream");
    assertThat(file.values().capacity()).isEqualTo(24);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 10, 15, 16, 17, 39})
  void refusesAPlainFileCutOffAnywhere(int length) {
    assertThatIOException()
        .isThrownBy(() -> IdxFile.read(write(Arrays.copyOf(GOOD, length))))
        .withMessageContaining(folder.toString())
        .withMessageMatching(".*(is not an IDX file|is cut off).*");
  }

  @Test
  void saysHowMuchOfACutOffFileIsThere() {
    assertThatIOException()
        .isThrownBy(() -> IdxFile.read(write(Arrays.copyOf(GOOD, 30))))
        .withMessageContaining("promises 2x3x4 = 24 values, but only 14 follow");
  }

  @Test
  void refusesAGzipFileCutOffAnywhere() throws IOException {
    byte[] packed = gzip(GOOD);
    for (int length = 2; length < packed.length; length++) {
      byte[] part = Arrays.copyOf(packed, length);
      assertThatIOException()
          .isThrownBy(() -> IdxFile.read(write(part)))
          .withMessageContaining(folder.toString())
          .withMessageContaining("cut off in the middle of its gzip data");
    }
  }

  @Test
  void aFlippedBitOfAGzipFileIsRefusedOrHarmless() throws IOException {
    byte[] packed = gzip(GOOD);
    String sound = IdxFile.read(write(packed)).sha256();
    int harmless = 0;
    // From the deflate data on: the header's time may change without harm.
    for (int bit = 8 * 10; bit < 8 * packed.length; bit++) {
      byte[] damaged = packed.clone();
      damaged[bit / 8] ^= (byte) (1 << (bit % 8));
      try {
        assertThat(IdxFile.read(write(damaged)).sha256()).isEqualTo(sound);
        harmless++;
      } catch (IOException e) {
        assertThat(e).hasMessageContaining(folder.toString());
      }
    }
    // Deflate fills its last byte up with bits that mean nothing.
    assertThat(harmless).isLessThan(8);
  }

  @Test
  void randomBytesAreRefused() {
    Random random = new Random(1);
    for (int i = 0; i < 2000; i++) {
      byte[] noise = new byte[random.nextInt(100)];
      random.nextBytes(noise);
      if (i % 2 == 0 && noise.length > 4) {
        // Half of them begin right.
        System.arraycopy(new byte[] {0, 0, 8, (byte) random.nextInt(256)}, 0, noise, 0, 4);
      }
      assertThatIOException().isThrownBy(() -> IdxFile.read(write(noise)));
    }
  }

  @Test
  void refusesTrailingBytes() {
    byte[] longer = concat(GOOD, new byte[] {0});

    assertThatIOException()
        .isThrownBy(() -> IdxFile.read(write(longer)))
        .withMessageContaining("longer than its header says: after 2x3x4 = 24 values");
    assertThatIOException()
        .isThrownBy(() -> IdxFile.read(write(gzip(longer))))
        .withMessageContaining("longer than its header says");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 8, 18, 19, 100, 5000})
  void refusesBytesAfterTheGzipData(int count) {
    assertThatIOException()
        .isThrownBy(() -> IdxFile.read(write(concat(gzip(GOOD), new byte[count]))))
        .withMessageContaining(
            "has " + count + (count == 1 ? " byte" : " bytes") + " after the end of its gzip data");
  }

  @ParameterizedTest
  @CsvSource({
    "00000903, 00 00 09 03", // signed bytes
    "00000D03, 00 00 0D 03", // floats
    "01000803, 01 00 08 03",
    "00010803, 00 01 08 03",
    "03080000, 03 08 00 00", // little-endian
    "00000800, 00 00 08 00", // no axis
    "504B0304, 50 4B 03 04", // zip
    "3C68746D, 3C 68 74 6D" // a page of HTML
  })
  void refusesAWrongMagicNumber(String magic, String shown) {
    byte[] wrong = GOOD.clone();
    System.arraycopy(HexFormat.of().parseHex(magic), 0, wrong, 0, 4);

    assertThatIOException()
        .isThrownBy(() -> IdxFile.read(write(wrong)))
        .withMessageContaining("not an IDX file of unsigned bytes: it begins with " + shown + ",");
  }

  @Test
  void refusesSizesThatAreAbsurdWithoutTakingMemory() {
    int most = 0xFFFF_FFFF;
    int[][] absurd = {
      {most, most, most},
      {most},
      {0x7FFF_FFFF, 1, 1},
      {0x8000_0000, 2},
      {0x10000, 0x10000, 0x10000, 0x10000}, // 2^64, 0 in a long
      {60000, 65536, 65536},
    };
    for (int[] sizes : absurd) {
      for (byte[] file : new byte[][] {idx(sizes), gzip(idx(sizes))}) {
        assertThatIOException()
            .isThrownBy(() -> IdxFile.read(write(file)))
            .withMessageContaining(folder.toString());
      }
    }
    assertThatIOException()
        .isThrownBy(() -> IdxFile.parse(idx(new int[] {most, most}), "x", 1000))
        .withMessageContaining("x promises 4294967295x4294967295 values in its header")
        .withMessageContaining("-Xmx");
  }

  @Test
  void refusesMoreThanTheHeapHolds() throws IOException {
    IdxFile.parse(gzip(GOOD), "x", 24);

    assertThatIOException()
        .isThrownBy(() -> IdxFile.parse(gzip(GOOD), "x", 23))
        .withMessageContaining("more than the 23 bytes");
  }

  @Test
  void refusesNothing() {
    assertThatIOException()
        .isThrownBy(() -> IdxFile.read(write(images(0, 28, 28))))
        .withMessageContaining("holds nothing: its header says 0x28x28 values");
    assertThatIOException()
        .isThrownBy(() -> IdxFile.read(write(new byte[0])))
        .withMessageContaining("is empty");
    // A zero behind a product that is too large must not hide it, nor the other way round.
    assertThatIOException()
        .isThrownBy(() -> IdxFile.read(write(idx(new int[] {0, 0xFFFF_FFFF, 0xFFFF_FFFF}))))
        .withMessageContaining("holds nothing");
  }

  @Test
  void refusesWhatIsNotAFile() {
    assertThatIOException()
        .isThrownBy(() -> IdxFile.read(folder))
        .withMessage(folder + " is a folder, expected an IDX file; put the file in its place.");
    Path absent = folder.resolve("absent");
    assertThatIOException()
        .isThrownBy(() -> IdxFile.read(absent))
        .withMessage(
            "There is no file " + absent + ", expected an IDX file; get it, or name another.");
  }

  private Path write(byte[] bytes) throws IOException {
    return Files.write(folder.resolve("file"), bytes);
  }

  private static byte[] concat(byte[] first, byte[] second) {
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }
}
