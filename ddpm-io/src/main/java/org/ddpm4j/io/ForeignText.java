package org.ddpm4j.io;

import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Text of strangers (names of files, classes and tensors, fields of configurations, messages that
 * quote them) as it may be shown. A control character or a change of the writing direction could
 * clear a terminal, set its title, or forge what a line or a page says; each becomes a question
 * mark.
 */
public final class ForeignText {

  private static final String UNSAFE =
      "\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}"
          // What Unicode calls Bidi_Control: marks, embeddings, overrides and isolates.
          + "\\u061C\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069"
          // Deprecated formatting, interlinear annotations, tags and the byte order mark.
          + "\\u206A-\\u206F\\uFFF9-\\uFFFB\\uFEFF\\x{E0000}-\\x{E007F}";

  private static final Pattern NOT_IN_A_LINE = Pattern.compile("[" + UNSAFE + "]");
  private static final Pattern NOT_IN_LINES = Pattern.compile("[" + UNSAFE + "&&[^\\n\\t]]");
  private static final Pattern LINE_BREAK = Pattern.compile("\\r\\n");
  private static final String REPLACEMENT = "?";

  /** Names in sentences are cut to this length. */
  private static final int MAX_QUOTED = 80;

  private ForeignText() {}

  /**
   * Text that is to stay in its line.
   *
   * @param text of anybody
   * @return the same with a question mark for every line break, other control character, half of a
   *     surrogate pair and direction mark
   */
  public static String line(String text) {
    Objects.requireNonNull(text, "text");
    return NOT_IN_A_LINE.matcher(text).replaceAll(REPLACEMENT);
  }

  /**
   * Text of several lines.
   *
   * @param text of anybody
   * @return the same with its line feeds and tabs, as {@link #line} in all else
   */
  public static String lines(String text) {
    Objects.requireNonNull(text, "text");
    return NOT_IN_LINES.matcher(LINE_BREAK.matcher(text).replaceAll("\n")).replaceAll(REPLACEMENT);
  }

  /**
   * Text as it may stand in a sentence.
   *
   * @param text of anybody
   * @return the text in single quotes, of bounded length and as {@link #line}
   */
  public static String quoted(String text) {
    String shown =
        text.length() <= MAX_QUOTED ? text : text.substring(0, MAX_QUOTED - 1).concat("…");
    return "'" + line(shown) + "'";
  }
}
