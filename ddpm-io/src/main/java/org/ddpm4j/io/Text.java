package org.ddpm4j.io;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Text that people and programs read the same on every machine, whatever its language. */
public final class Text {

  /** What takes a value, what takes none (%n and %%), and the end of a noun. */
  private static final Pattern PLACE_OR_PLURAL =
      Pattern.compile(
          "%[-#+ 0,(]*\\d*(?:\\.\\d+)?(?:(?<conversion>[a-mo-zA-Z])|[n%])|\\((?<plural>e?s)\\)");

  private Text() {}

  /**
   * Puts values into a text, with digits and decimal points as in {@link Locale#ROOT}.
   *
   * <p>A plural's {@code (s)} or {@code (es)} goes with the whole number before it, a {@code %d}:
   * of {@code "%d image(s) of %d channel(s)"}, 2 and 1 make "2 images of 1 channel".
   *
   * @param format as of {@link String#format}, with values in their order
   * @param values in their order
   * @return the text
   */
  public static String format(String format, Object... values) {
    return String.format(Locale.ROOT, withNumbers(format, values), values);
  }

  /** The format with plurals and singulars as its whole numbers want them. */
  private static String withNumbers(String format, Object... values) {
    if (!format.contains("s)")) {
      return format;
    }
    StringBuilder text = new StringBuilder();
    Matcher found = PLACE_OR_PLURAL.matcher(format);
    int place = 0;
    Optional<Object> number = Optional.empty();
    while (found.find()) {
      String kept = found.group();
      if (found.group("plural") != null) {
        kept = number.map(n -> isOne(n) ? "" : found.group("plural")).orElse(kept);
      } else if (found.group("conversion") != null) {
        Object value = place < values.length ? values[place] : null;
        place++;
        if (found.group("conversion").equals("d")) {
          number = Optional.ofNullable(value);
        }
      }
      found.appendReplacement(text, Matcher.quoteReplacement(kept));
    }
    return found.appendTail(text).toString();
  }

  private static boolean isOne(Object value) {
    return value instanceof Number number && number.longValue() == 1;
  }

  /**
   * A number of things, with the noun in the number that goes with it.
   *
   * @param number how many
   * @param noun of one of them, whose plural ends in s
   * @return such as "1 image" or "2 images"
   */
  public static String count(long number, String noun) {
    return count(number, noun, noun + "s");
  }

  /**
   * A number of things whose plural is another word.
   *
   * @param number how many
   * @param noun of one of them
   * @param plural of the noun
   * @return such as "1 axis" or "2 axes"
   */
  public static String count(long number, String noun, String plural) {
    return number + " " + (number == 1 ? noun : plural);
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
