package org.ddpm4j.cli.options;

import java.util.function.Function;
import org.ddpm4j.io.Text;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Numbers in the user's words. What is none is refused without the names of Java's types. */
public final class Numbers {

  private Numbers() {}

  /**
   * Has a program read its numbers so.
   *
   * @param program with all its commands
   */
  public static void register(CommandLine program) {
    ITypeConverter<Integer> small = whole(Integer::valueOf);
    ITypeConverter<Long> large = whole(Long::valueOf);
    ITypeConverter<Double> real = number(Double::valueOf, "is not a number");
    program
        .registerConverter(Integer.class, small)
        .registerConverter(int.class, small)
        .registerConverter(Long.class, large)
        .registerConverter(long.class, large)
        .registerConverter(Double.class, real)
        .registerConverter(double.class, real);
  }

  private static <N> ITypeConverter<N> whole(Function<String, N> parse) {
    return words ->
        number(parse, words.matches("[+-]?\\d+") ? "has too many digits" : "is not a whole number")
            .convert(words);
  }

  private static <N> ITypeConverter<N> number(Function<String, N> parse, String refusal) {
    return words -> {
      try {
        return parse.apply(words);
      } catch (NumberFormatException e) {
        throw new TypeConversionException(Text.format("'%s' %s", words, refusal));
      }
    };
  }
}
