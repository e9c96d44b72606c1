package org.ddpm4j.studio.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DrawingAnswersTest {

  /** RFC 9110: without a weight 1; a weight of 0 is not acceptable. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "                                              | application/json",
        "*/*                                           | application/json",
        "image/jpeg                                    | application/json",
        "image/png                                     | image/png",
        "IMAGE/PNG ; q=0.5                             | image/png",
        "text/event-stream                             | text/event-stream",
        "application/json, image/png;q=0.1             | application/json",
        "image/png;q=0, application/json               | application/json",
        "image/png;q=0.000                             | application/json",
        "application/json;q=0.5,image/png;q=0.7,*/*    | image/png",
        "image/png, application/json                   | image/png",
        "application/json, text/event-stream           | text/event-stream",
        "text/event-stream;q=0.2, image/png            | image/png",
        "image/png;level=1;q=0.3, application/json;q=1 | application/json",
        "image/pngs                                    | application/json",
        "image/png;q=x                                 | image/png",
        ", ;q=1 ,,image/png                            | image/png",
      })
  void theFormIsTheOneThatTheClientLikesBest(String accept, String expected) {
    assertThat(DrawingAnswers.wanted(accept == null ? List.of() : List.of(accept)))
        .isEqualTo(expected);
  }

  /** RFC 9110, section 5.3: several headers are one, with commas. */
  @ParameterizedTest
  @CsvSource({"image/png, application/json;q=0.5", "application/json;q=0.5, image/png"})
  void severalHeadersAreOne(String first, String second) {
    assertThat(DrawingAnswers.wanted(List.of(first, second))).isEqualTo("image/png");
  }
}
