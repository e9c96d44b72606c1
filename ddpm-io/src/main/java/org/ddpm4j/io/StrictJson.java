package org.ddpm4j.io;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;

/** JSON that means what it says: no field twice, none unknown, nothing after the end. */
public final class StrictJson {

  private static final int LONGEST_QUOTATION = 60;

  private StrictJson() {}

  /**
   * A mapper that refuses fields given twice or unknown, null where a number must be, fractions
   * where a whole number must be, and text after the end.
   *
   * @return its builder, for more settings
   */
  public static JsonMapper.Builder builder() {
    return JsonMapper.builder()
        .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
        .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
        .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION);
  }

  /**
   * What Jackson found wrong, for the middle of a sentence.
   *
   * @param e the exception
   * @return its message in one line, without the place and the full stop
   */
  public static String problem(JsonProcessingException e) {
    return e.getOriginalMessage()
        .lines()
        .findFirst()
        .orElse("")
        // A setting of Jackson's is nothing that the author of a file could change.
        .replaceAll(": enable `\\w+\\.\\w+` to allow", "")
        .replaceAll(", from `[^`]*`", "")
        .replaceAll("\\[Source: .*?; line: (\\d+), column: (\\d+)]", "line $1, column $2")
        .replaceAll("[.\\s]+$", "");
  }

  /**
   * A value as messages quote it.
   *
   * @param value the value
   * @return its JSON, cut after 60 characters
   */
  public static String quoted(JsonNode value) {
    String text = ForeignText.line(value.toString());
    return text.length() <= LONGEST_QUOTATION ? text : text.substring(0, LONGEST_QUOTATION) + "…";
  }
}
