package org.ddpm4j.io;

import java.util.Objects;
import java.util.function.Function;

/** Numbers in a user's words. What is none is refused without the names of Java's types. */
public final class NumberWords {

  private NumberWords() {}

  /**
   * A whole number.
   *
   * @param words with or without a sign
   * @return the number
   * @throws IllegalArgumentException if it is none, or does not fit; the message is a clause
   */
  public static int integer(String words) {
    return whole(words, Integer::valueOf);
  }

  /**
   * A whole number of up to 18 digits, and a few of 19.
   *
   * @param words with or without a sign
   * @return the number
   * @throws IllegalArgumentException if it is none, or does not fit; the message is a clause
   */
  public static long longInteger(String words) {
    return whole(words, Long::valueOf);
  }

  /**
   * Any number.
   *
   * @param words as Java writes numbers
   * @return the number
   * @throws IllegalArgumentException if it is none; the message is a clause
   */
  public static double number(String words) {
    return parse(words, Double::valueOf, "is not a number");
  }

  private static <N> N whole(String words, Function<String, N> parse) {
    Objects.requireNonNull(words, "words");
    return parse(
        words, parse, words.matches("[+-]?\\d+") ? "has too many digits" : "is not a whole number");
  }

  private static <N> N parse(String words, Function<String, N> parse, String refusal) {
    Objects.requireNonNull(words, "words");
    try {
      return parse.apply(words);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(Text.format("'%s' %s", words, refusal), e);
    }
  }
}
