package org.ddpm4j.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Thousands of damaged files are either read or refused with an IOException. */
class SafetensorsFuzzTest {

  private static final int FILES = 6_000;
  private static final long SEED = 20_240_601;

  /** What hostile headers are made of. */
  private static final String[] TOKENS = {
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "-1",
    "0",
    "1e9",
    "9223372036854775807",
    "4294967296",
    "null",
    "true",
    "\"F32\"",
    "\"F64\"",
    "\"U8\"",
    "\"F8_E4M3\"",
    "\"shape\"",
    "\"dtype\"",
    "\"data_offsets\"",
    "\"__metadata__\"",
    "\\u0000",
    "\\ud800",
    "\u00ff",
    "[0,0]",
    "[0]",
    "[]"
  };

  @TempDir Path folder;

  @Test
  void everyMutationIsReadOrRefused() throws IOException {
    byte[] valid = Files.readAllBytes(SafetensorsFiles.resource("every-dtype.safetensors"));
    var random = new Random(SEED);
    int read = 0;
    int refused = 0;
    for (int i = 0; i < FILES; i++) {
      Path file = SafetensorsFiles.write(folder, mutate(valid, random));
      try (var reader = SafetensorsReader.open(file)) {
        reader.crc32c();
        reader.verifyChecksum();
        for (String name : reader.names()) {
          assertThat(reader.tensor(name).shape()).isEqualTo(reader.shape(name));
        }
        read++;
      } catch (IOException e) {
        assertThat(e.getMessage()).startsWith("The file " + file + " ").endsWith(".");
        assertThat(e.getMessage().lines()).hasSize(1);
        refused++;
      }
    }
    assertThat(read).as("read").isGreaterThan(FILES / 50);
    assertThat(refused).as("refused").isGreaterThan(FILES / 2);
  }

  private static byte[] mutate(byte[] valid, Random random) {
    byte[] bytes = valid.clone();
    int mutations = 1 + random.nextInt(3);
    for (int i = 0; i < mutations && bytes.length > 0; i++) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(7)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt();
        case 2 -> bytes = Arrays.copyOf(bytes, at);
        case 3 -> bytes = Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(16));
        case 4 -> bytes[random.nextInt(Math.min(8, bytes.length))] = (byte) random.nextInt();
        case 5 -> overwrite(bytes, at, TOKENS[random.nextInt(TOKENS.length)]);
        default -> {
          int from = random.nextInt(bytes.length);
          int length = Math.min(random.nextInt(64), bytes.length - Math.max(at, from));
          System.arraycopy(bytes, from, bytes, at, length);
        }
      }
    }
    return bytes;
  }

  private static void overwrite(byte[] bytes, int at, String token) {
    byte[] utf8 = token.getBytes(StandardCharsets.UTF_8);
    System.arraycopy(utf8, 0, bytes, at, Math.min(utf8.length, bytes.length - at));
  }
}
