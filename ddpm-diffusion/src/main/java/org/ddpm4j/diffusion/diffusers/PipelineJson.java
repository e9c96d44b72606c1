package org.ddpm4j.diffusion.diffusers;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.ddpm4j.io.AtomicFile;
import org.ddpm4j.io.SmallTextFile;
import org.ddpm4j.io.StrictJson;
import org.ddpm4j.io.Text;

/** The JSON files of a pipeline's folder. */
final class PipelineJson {

  /** Python writes infinities, which {@code lambda_min_clipped} may be. */
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final SmallTextFile FILE =
      new SmallTextFile(
          1 << 22,
          "file of a diffusers pipeline",
          "the folder of a diffusers pipeline holds it, so copy or download the whole folder");

  private PipelineJson() {}

  static String readText(Path file) throws IOException {
    return FILE.read(file);
  }

  static JsonNode parse(String text, String source) throws IOException {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new IOException(
          Text.format(
              "%s is not JSON (%s); copy or download it again.", source, StrictJson.problem(e)),
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
}
