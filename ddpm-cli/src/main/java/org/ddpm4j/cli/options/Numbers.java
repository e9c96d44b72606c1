package org.ddpm4j.cli.options;

import java.util.function.Function;
import org.ddpm4j.io.NumberWords;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Numbers of the command line, see {@link NumberWords}. */
public final class Numbers {

  private Numbers() {}

  /**
   * Has a program read its numbers so.
   *
   * @param program with all its commands
   */
  public static void register(CommandLine program) {
    ITypeConverter<Integer> small = converter(NumberWords::integer);
    ITypeConverter<Long> large = converter(NumberWords::longInteger);
    ITypeConverter<Double> real = converter(NumberWords::number);
    program
        .registerConverter(Integer.class, small)
        .registerConverter(int.class, small)
        .registerConverter(Long.class, large)
        .registerConverter(long.class, large)
        .registerConverter(Double.class, real)
        .registerConverter(double.class, real);
  }

  private static <N> ITypeConverter<N> converter(Function<String, N> read) {
    return words -> {
      try {
        return read.apply(words);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    };
  }
}
