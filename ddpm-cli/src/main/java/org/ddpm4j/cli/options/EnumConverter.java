package org.ddpm4j.cli.options;

import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.ddpm4j.io.Text;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.TypeConversionException;

/**
 * The values of an enum as the command line spells them: {@code linear-scaled} for {@code
 * LINEAR_SCALED}. Converts an option's text, and lists what is possible for help and completion.
 *
 * @param <E> the enum
 */
public class EnumConverter<E extends Enum<E>> implements ITypeConverter<E>, Iterable<String> {

  private final Collection<E> values;

  /**
   * All values of an enum.
   *
   * @param type of the enum
   */
  public EnumConverter(Class<E> type) {
    this(List.of(type.getEnumConstants()));
  }

  /**
   * Some values of an enum.
   *
   * @param values that are possible
   */
  public EnumConverter(Collection<E> values) {
    this.values = values;
  }

  /**
   * A subcommand whose options and parameters of enums, unless they have one, get a converter.
   *
   * @param command with annotations of picocli
   * @return its command line
   */
  public static CommandLine commandLine(Object command) {
    CommandLine commandLine = new CommandLine(command);
    CommandSpec spec = commandLine.getCommandSpec();
    // All of them, so that their order in help stays as it is.
    for (ArgSpec argument : List.copyOf(spec.args())) {
      if (argument.group() == null) {
        spec.remove(argument);
        spec.add(needsConverter(argument) ? converted(argument) : argument);
      }
    }
    return commandLine;
  }

  private static boolean needsConverter(ArgSpec argument) {
    return argument.converters().length == 0 && argument.auxiliaryTypes()[0].isEnum();
  }

  @SuppressWarnings({"rawtypes", "unchecked"})
  private static ArgSpec converted(ArgSpec argument) {
    EnumConverter<?> converter = new EnumConverter(argument.auxiliaryTypes()[0]);
    return argument instanceof OptionSpec option
        ? option.toBuilder().converters(converter).completionCandidates(converter).build()
        : ((PositionalParamSpec) argument)
            .toBuilder().converters(converter).completionCandidates(converter).build();
  }

  /**
   * The spelling of a value.
   *
   * @param value of an enum
   * @return lower case with hyphens
   */
  public static String spelling(Enum<?> value) {
    return spelling(value.toString());
  }

  private static String spelling(String text) {
    return text.toLowerCase(Locale.ROOT).replace('_', '-');
  }

  @Override
  public E convert(String text) {
    String wanted = spelling(text);
    return values.stream()
        .filter(value -> spelling(value).equals(wanted))
        .findFirst()
        .orElseThrow(
            () ->
                new TypeConversionException(
                    Text.format("expected %s but was '%s'", String.join(", ", this), text)));
  }

  @Override
  public Iterator<String> iterator() {
    return values.stream().map(EnumConverter::spelling).iterator();
  }
}
