package org.ddpm4j.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ForeignTextTest {

  @Test
  void whatMovesTheCursorOrTheDirectionBecomesAQuestionMark() {
    assertThat(ForeignText.line("t\u001b[31m\n\u202Egnp.exe")).isEqualTo("t?[31m??gnp.exe");
    assertThat(ForeignText.line("a\u009bb\u2028c\u2066d\uFEFFe\ud800f")).isEqualTo("a?b?c?d?e?f");
    assertThat(ForeignText.lines("{\r\n  \"a\" : \"\u001b\"\n}\t"))
        .isEqualTo("{\n  \"a\" : \"?\"\n}\t");
  }

  /** The characters that Java's own tables call control characters or direction marks. */
  @Test
  void noControlCharacterOfUnicodeIsLeft() {
    IntStream.rangeClosed(0, Character.MAX_CODE_POINT)
        .filter(
            c ->
                Character.getType(c) == Character.CONTROL
                    || switch (Character.getDirectionality(c)) {
                      case Character.DIRECTIONALITY_LEFT_TO_RIGHT_EMBEDDING,
                          Character.DIRECTIONALITY_LEFT_TO_RIGHT_OVERRIDE,
                          Character.DIRECTIONALITY_RIGHT_TO_LEFT_EMBEDDING,
                          Character.DIRECTIONALITY_RIGHT_TO_LEFT_OVERRIDE,
                          Character.DIRECTIONALITY_POP_DIRECTIONAL_FORMAT,
                          Character.DIRECTIONALITY_LEFT_TO_RIGHT_ISOLATE,
                          Character.DIRECTIONALITY_RIGHT_TO_LEFT_ISOLATE,
                          Character.DIRECTIONALITY_FIRST_STRONG_ISOLATE,
                          Character.DIRECTIONALITY_POP_DIRECTIONAL_ISOLATE ->
                          true;
                      default -> false;
                    })
        .forEach(
            c ->
                assertThat(ForeignText.line(Character.toString(c))).as("U+%04X", c).isEqualTo("?"));
  }

  @Test
  void whatPeopleWriteStays() {
    String names = "naïve 名 عربى עברית ‌نمی‌خواهم 👩‍🔬 e\u0301 «x» 7";
    assertThat(ForeignText.line(names)).isEqualTo(names);
    assertThat(ForeignText.lines("a\nb")).isEqualTo("a\nb");
  }
}
