package org.ddpm4j.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ForeignFormatTest {

  @TempDir private Path folder;

  /** Beginnings as the formats' specifications have them, a character for each byte. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "GIT_LFS_POINTER|version https://git-lfs.github.com/spec/v1\\n",
        "HTML|<!DOCTYPE html><html>",
        "HTML|\\u00ef\\u00bb\\u00bf\\n  <HTML lang='en'>",
        "HTML|<?xml version='1.0'?><html xmlns='x'>",
        "SVG|<svg xmlns='x'>",
        "XML|<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
        "PICKLE|\\u0080\\u0002}q\\u0001(U\\u000bbatch_label",
        "PICKLE|\\u0080\\u0004\\u0095\\u0010\\u0000",
        "PICKLE|(dp0\\nS'data'\\n",
        "ZIP|PK\\u0003\\u0004\\u0014\\u0000\\u0000\\u0000",
        "PYTORCH|PK\\u0003\\u0004\\u0000\\u0000archive/data.pkl",
        "GZIP|\\u001f\\u008b\\u0008\\u0000",
        "XZ|\\u00fd7zXZ\\u0000",
        "BZIP2|BZh91AY",
        "ZSTANDARD|(\\u00b5/\\u00fd",
        "SEVEN_ZIP|7z\\u00bc\\u00af'\\u001c",
        "RAR|Rar!\\u001a\\u0007",
        "NUMPY|\\u0093NUMPY\\u0001\\u0000",
        "HDF5|\\u0089HDF\\r\\n\\u001a\\n",
        "MATLAB|MATLAB 5.0 MAT-file",
        "PARQUET|PAR1\\u0015",
        "PDF|%PDF-1.7",
        "GGUF|GGUF\\u0003\\u0000\\u0000\\u0000",
        "ONNX|\\u0008\\u0007\\u0012\\u0007pytorch\\u001a\\u0003",
        "BIG_TIFF|II+\\u0000\\u0008\\u0000",
        "BIG_TIFF|MM\\u0000+\\u0000\\u0008",
        "PICTURE|\\u0089PNG\\r\\n\\u001a\\n",
        "PICTURE|\\u00ff\\u00d8\\u00ff\\u00e0",
        "PICTURE|GIF89a",
        "PICTURE|RIFF\\u0010\\u0000\\u0000\\u0000WEBPVP8L",
        "PICTURE|II*\\u0000\\u0008",
        "AVIF|\\u0000\\u0000\\u0000\\u001cftypavif",
        "HEIF|\\u0000\\u0000\\u0000\\u001cftypheic",
        "JPEG_XL|\\u00ff\\n\\u0000",
        "JPEG_2000|\\u0000\\u0000\\u0000\\u000cjP  \\r\\n",
        "PHOTOSHOP|8BPS\\u0000\\u0001",
        "JSON|{\"error\": \"not found\"}"
      })
  void formatsAreKnownByTheirFirstBytes(ForeignFormat format, String beginning) {
    assertThat(ForeignFormat.of(unescaped(beginning))).contains(format);
  }

  /** A byte for each character, of those that are escaped as in Java. */
  private static byte[] unescaped(String text) {
    StringBuilder result = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      if (text.startsWith("\\u", i)) {
        result.append((char) Integer.parseInt(text.substring(i + 2, i + 6), 16));
        i += 5;
      } else if (text.startsWith("\\n", i) || text.startsWith("\\r", i)) {
        result.append(text.charAt(i + 1) == 'n' ? '\n' : '\r');
        i++;
      } else {
        result.append(text.charAt(i));
      }
    }
    return result.toString().getBytes(StandardCharsets.ISO_8859_1);
  }

  @Test
  void archivesAndTensorsAreKnown() {
    byte[] tar = new byte[512];
    System.arraycopy("ustar".getBytes(StandardCharsets.US_ASCII), 0, tar, 257, 5);
    assertThat(ForeignFormat.of(tar)).contains(ForeignFormat.TAR);
    ByteBuffer tensors = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(2);
    tensors.put("{}".getBytes(StandardCharsets.US_ASCII));
    assertThat(ForeignFormat.of(tensors.array())).contains(ForeignFormat.SAFETENSORS);
  }

  @Test
  void aRealZipFileIsRecognisedOnDisk() throws IOException {
    Path file = folder.resolve("a.bin");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      zip.putNextEntry(new ZipEntry("a"));
      zip.closeEntry();
    }
    assertThat(ForeignFormat.of(file)).contains(ForeignFormat.ZIP);
  }

  @Test
  void whatIsNoneOfTheseIsNotGuessed() throws IOException {
    assertThat(ForeignFormat.of(new byte[0])).isEmpty();
    assertThat(ForeignFormat.of("This is text.".getBytes(StandardCharsets.UTF_8))).isEmpty();
    assertThat(ForeignFormat.of(new byte[] {0, 0, 8, 3, 0, 0})).isEmpty();
    assertThat(ForeignFormat.of(new byte[] {(byte) 0x80, 9, 0})).isEmpty();
    assertThat(ForeignFormat.of(folder)).isEqualTo(Optional.empty());
    assertThat(ForeignFormat.of(folder.resolve("missing"))).isEmpty();
  }

  @Test
  void everyFormatHasWordsForASentence() {
    for (ForeignFormat format : ForeignFormat.values()) {
      assertThat(format.noun()).isNotBlank().doesNotEndWith(".");
      assertThat(format.remedy()).isNotBlank().doesNotEndWith(".");
    }
  }
}
