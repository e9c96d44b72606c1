package org.ddpm4j.cli.options;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.ddpm4j.io.Text;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * Refuses options that would have no effect, by what {@link HasEffect} says of each of them. What
 * the command line alone decides is checked before a command begins.
 */
public final class OptionRules {

  /**
   * What is said of an option.
   *
   * @param names of the option
   * @param own what is said of it by itself, empty if that was forgotten
   * @param outer what is said of the mixins that it is in
   */
  record Rule(List<String> names, Optional<HasEffect> own, List<HasEffect> outer) {

    List<HasEffect> all() {
      return Stream.concat(outer.stream(), own.stream()).toList();
    }
  }

  private OptionRules() {}

  /**
   * Runs a command unless an option of it would have no effect.
   *
   * @param result the command line
   * @return the exit code
   * @throws ParameterException if an option would have no effect
   */
  public static int run(ParseResult result) {
    ParseResult last = last(result);
    if (!last.isUsageHelpRequested() && !last.isVersionHelpRequested()) {
      check(last);
    }
    return new CommandLine.RunLast().execute(result);
  }

  /**
   * Refuses options that have no effect by what the command line says.
   *
   * @param program the command line
   * @throws ParameterException if there are such options
   */
  public static void check(ParseResult program) {
    ParseResult result = last(program);
    CommandSpec command = result.commandSpec();
    List<Rule> rules = of(command);
    for (OptionSpec option : result.matchedOptions()) {
      for (HasEffect condition : conditions(option, rules)) {
        checkWith(option, condition, command);
        checkWithout(option, condition, command);
        checkLeaves(option, condition, command);
      }
    }
  }

  /**
   * Refuses the given options that have no effect for a reason that is known only now.
   *
   * @param command that is run
   * @param fact the reason
   * @throws ParameterException if there are such options
   */
  public static void refuse(CommandSpec command, HasEffect.Fact fact) {
    List<Rule> rules = of(command);
    for (OptionSpec option : command.commandLine().getParseResult().matchedOptions()) {
      for (HasEffect condition : conditions(option, rules)) {
        if (List.of(condition.unless()).contains(fact)) {
          throw refusal(
              command,
              "The option '%s' does not go with %s",
              option.longestName(),
              fact.description());
        }
      }
    }
  }

  /** Of the command that is run. */
  private static ParseResult last(ParseResult result) {
    return result.hasSubcommand() ? last(result.subcommand()) : result;
  }

  private static List<HasEffect> conditions(OptionSpec option, List<Rule> rules) {
    return rules.stream()
        .filter(rule -> rule.names().contains(option.longestName()))
        .findFirst()
        .map(Rule::all)
        .orElse(List.of());
  }

  private static void checkWith(OptionSpec option, HasEffect condition, CommandSpec command) {
    List<String> wanted = List.of(condition.with());
    if (wanted.isEmpty() || wanted.stream().anyMatch(one -> holds(one, command))) {
      return;
    }
    String named = wanted.stream().map(OptionRules::written).collect(Collectors.joining(" or "));
    String found = written(wanted.get(0), command);
    throw refusal(
        command,
        "The option '%s' goes with %s, %s%s",
        option.longestName(),
        named,
        found.isEmpty() ? "which is missing" : "not with " + found,
        because(condition));
  }

  private static void checkWithout(OptionSpec option, HasEffect condition, CommandSpec command) {
    for (String one : condition.without()) {
      if (holds(one, command)) {
        throw refusal(
            command,
            "The option '%s' does not go with %s%s",
            option.longestName(),
            written(one),
            because(condition));
      }
    }
  }

  private static void checkLeaves(OptionSpec option, HasEffect condition, CommandSpec command) {
    List<String> others = List.of(condition.leaves());
    if (others.isEmpty()) {
      return;
    }
    for (OptionSpec other : command.commandLine().getParseResult().matchedOptions()) {
      if (other != option && !others.contains(other.longestName())) {
        throw refusal(
            command,
            "The option '%s' does not go with '%s'%s",
            other.longestName(),
            option.longestName(),
            because(condition));
      }
    }
  }

  private static String because(HasEffect condition) {
    return condition.because().isEmpty() ? "" : ", " + condition.because();
  }

  private static boolean holds(String condition, CommandSpec command) {
    OptionSpec option = command.findOption(name(condition));
    if (option == null) {
      return false;
    }
    return hasValues(condition)
        ? values(condition).contains(value(option, command))
        : isGiven(option, command) && !value(option, command).equals("false");
  }

  private static boolean isGiven(OptionSpec option, CommandSpec command) {
    return command.commandLine().getParseResult().hasMatchedOption(option.longestName());
  }

  /** The value that an option has, as the command line spells it; empty if it has none. */
  private static String value(OptionSpec option, CommandSpec command) {
    List<String> given = option.stringValues();
    String text =
        isGiven(option, command) && !given.isEmpty()
            ? given.get(given.size() - 1)
            : Optional.ofNullable(option.defaultValue()).orElse("");
    return text.toLowerCase(Locale.ROOT).replace('_', '-');
  }

  static String name(String condition) {
    return condition.split("=", 2)[0];
  }

  static boolean hasValues(String condition) {
    return condition.contains("=");
  }

  static List<String> values(String condition) {
    return List.of(condition.split("=", 2)[1].split("\\|"));
  }

  /** A condition as the user would fulfil it. */
  private static String written(String condition) {
    return hasValues(condition)
        ? values(condition).stream()
            .map(value -> "'" + name(condition) + " " + value + "'")
            .collect(Collectors.joining(" or "))
        : "'" + condition + "'";
  }

  /** What there is in the place of a condition; empty where that is nothing. */
  private static String written(String condition, CommandSpec command) {
    OptionSpec option = command.findOption(name(condition));
    String value = option == null || !hasValues(condition) ? "" : value(option, command);
    return value.isEmpty() ? "" : "'" + name(condition) + " " + value + "'";
  }

  private static ParameterException refusal(
      CommandSpec command, String sentence, Object... values) {
    return new ParameterException(command.commandLine(), Text.format(sentence, values));
  }

  /** What is said of the options of a command. */
  static List<Rule> of(CommandSpec command) {
    List<Rule> rules = new ArrayList<>();
    if (command.userObject() != null) {
      collect(command.userObject().getClass(), List.of(), rules);
    }
    return rules;
  }

  private static void collect(Class<?> type, List<HasEffect> outer, List<Rule> rules) {
    for (Field field : type.getDeclaredFields()) {
      Optional<HasEffect> own = Optional.ofNullable(field.getAnnotation(HasEffect.class));
      Option option = field.getAnnotation(Option.class);
      if (option != null) {
        rules.add(new Rule(Arrays.asList(option.names()), own, outer));
      } else if (field.isAnnotationPresent(Mixin.class)
          || field.isAnnotationPresent(ArgGroup.class)) {
        collect(field.getType(), Stream.concat(outer.stream(), own.stream()).toList(), rules);
      }
    }
  }
}
