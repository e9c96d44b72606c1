package org.ddpm4j.diffusion.diffusers;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.ddpm4j.io.AtomicFile;

/** The small JSON files of a pipeline's folder. */
final class SmallFile {

  /** Python writes infinities, which {@code lambda_min_clipped} may be. */
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final long MAX_BYTES = 1 << 22;
  private static final int LONGEST_QUOTATION = 60;

  private SmallFile() {}

  static String readText(Path file) throws IOException {
    try {
      if (Files.isDirectory(file)) {
        throw new IOException("%s is a folder where a file is expected.".formatted(file));
      }
      if (Files.size(file) > MAX_BYTES) {
        throw new IOException(
            "%s has more than %d bytes and so is no file of a diffusers pipeline."
                .formatted(file, MAX_BYTES));
      }
      return Files.readString(file);
    } catch (NoSuchFileException e) {
      throw new IOException(
          "%s is missing; the folder of a diffusers pipeline holds it, so copy or download the whole folder."
              .formatted(file),
          e);
    } catch (CharacterCodingException e) {
      throw new IOException("%s is not a text file in UTF-8.".formatted(file), e);
    } catch (FileSystemException e) {
      throw new IOException(
          "%s cannot be read (%s); check its permissions."
              .formatted(file, e.getClass().getSimpleName()),
          e);
    }
  }

  static JsonNode parse(String text, String source) throws IOException {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new IOException(
          "%s is not JSON (%s); copy or download it again."
              .formatted(
                  source,
                  e.getOriginalMessage().lines().findFirst().orElse("").replaceAll("[.\\s]+$", "")),
          e);
    }
  }

  static JsonNode tree(Object value) {
    return JSON.valueToTree(value);
  }

  static String toJson(Object value) {
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A file of a pipeline could not become JSON.", e);
    }
  }

  static void write(Path file, Object value) throws IOException {
    AtomicFile.writeString(file, toJson(value) + "\n");
  }

  /** A value as messages show it. */
  static String quoted(JsonNode value) {
    String text = value.toString();
    return text.length() <= LONGEST_QUOTATION ? text : text.substring(0, LONGEST_QUOTATION) + "…";
  }
}
