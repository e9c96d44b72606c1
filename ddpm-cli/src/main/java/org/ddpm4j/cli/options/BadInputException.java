package org.ddpm4j.cli.options;

import java.util.function.Supplier;
import org.ddpm4j.io.Text;

/** The user gave a value that is not possible; the message is a whole sentence. */
public final class BadInputException extends RuntimeException {

  private static final long serialVersionUID = 1;

  /**
   * A sentence of the program's own.
   *
   * @param sentence what was found, what was expected and what to do
   */
  public BadInputException(String sentence) {
    super(sentence);
  }

  /**
   * A sentence of the program's own with the user's values.
   *
   * @param format of what was found, what was expected and what to do, as of {@link Text#format}
   * @param values in their order
   */
  public BadInputException(String format, Object... values) {
    super(Text.format(format, values));
  }

  private BadInputException(IllegalArgumentException cause) {
    super(cause.getMessage(), cause);
  }

  /**
   * Makes something of the user's values. The library refuses bad values by {@link
   * IllegalArgumentException}; only around the places where the values are the user's is that the
   * user's mistake, anywhere else it is a bug.
   *
   * @param makeFromInput makes something of the values
   * @param <T> what is made
   * @return what was made
   * @throws BadInputException with the library's sentence if it refuses them
   */
  public static <T> T check(Supplier<T> makeFromInput) {
    try {
      return makeFromInput.get();
    } catch (IllegalArgumentException e) {
      throw new BadInputException(e);
    }
  }

  /**
   * Refuses a value of an option that is not in a range.
   *
   * @param option its name
   * @param value what the user gave
   * @param min the least that is possible
   * @param max the most that is possible
   * @throws BadInputException if the value is not in the range
   */
  public static void requireRange(String option, long value, long min, long max) {
    if (value < min || value > max) {
      throw new BadInputException(
          "The value of %s is %d; it must be from %d to %d.", option, value, min, max);
    }
  }
}
