package org.ddpm4j.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

class StrictJsonTest {

  private static final ObjectMapper MAPPER = StrictJson.builder().build();

  @Test
  void saysWhereWhatIsNotClosedBegins() {
    assertThat(problem("{\n  \"a\": [1"))
        .isEqualTo(
            "Unexpected end-of-input: expected close marker for Array (start marker at line 2, column 8)");
  }

  @Test
  void namesNoSettingsOfTheParser() {
    assertThat(problem("[".repeat(2000))).endsWith("exceeds the maximum allowed (1000)");
    assertThat(problem("{\"a\": " + "1".repeat(3000) + "}"))
        .endsWith("exceeds the maximum allowed (1000)");
    assertThat(problem("{\"a\": NaN}")).isEqualTo("Non-standard token 'NaN'");
  }

  private static String problem(String json) {
    return StrictJson.problem(
        catchThrowableOfType(JsonProcessingException.class, () -> MAPPER.readTree(json)));
  }
}
