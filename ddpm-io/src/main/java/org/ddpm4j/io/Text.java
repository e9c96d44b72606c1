package org.ddpm4j.io;

import java.util.Locale;

/** Text that people and programs read the same on every machine, whatever its language. */
public final class Text {

  private Text() {}

  /**
   * Puts values into a text, with digits and decimal points as in {@link Locale#ROOT}.
   *
   * @param format as of {@link String#format}
   * @param values in their order
   * @return the text
   */
  public static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
