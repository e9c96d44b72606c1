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

  /**
   * A rate, such as that of images per second, with one decimal, and with more where it is below
   * 10: three digits tell fast from slow whatever the network is.
   *
   * @param perSecond at least 0
   * @return such as 1060.2, 73.3, 2.41 or 0.712
   */
  public static String rate(double perSecond) {
    int decimals = perSecond >= 9.995 ? 1 : perSecond >= 0.9995 ? 2 : 3;
    return format("%." + decimals + "f", perSecond);
  }
}
