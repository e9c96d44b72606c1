package org.ddpm4j.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.diffusion.NotFiniteException;
import org.ddpm4j.diffusion.training.TrainingDivergedException;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.plan.DeviceMemoryException;
import org.jline.utils.Levenshtein;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns exceptions into what the user sees, and into exit codes. */
final class Failures implements IParameterExceptionHandler, IExecutionExceptionHandler {

  /** Options, files or data are not right, memory ran out, or a training diverged. */
  static final int BAD_INPUT = 2;

  private static final int MAX_SUGGESTIONS = 3;

  /** With more slips than one in so many letters, a word is another. */
  private static final int LETTERS_A_SLIP = 3;

  /** What Java reads in the place of bytes that are no text. */
  private static final String REPLACEMENT = "\uFFFD";

  private static final String NO_TEXT =
      " Each "
          + REPLACEMENT
          + " stands for bytes that are no UTF-8; rename a file or folder that is called so.";

  private final Console console;

  Failures(Console console) {
    this.console = console;
  }

  @Override
  public int handleParseException(ParameterException e, String[] args) {
    // With several options wrong at once, picocli gives each a line.
    String message = e.getMessage().replaceFirst("^Error: ", "").replaceAll("[.\\s]+$", "");
    return report(
        console,
        Text.format(
            "%s%s; see '%s --help'.",
            message, suggestion(e), e.getCommandLine().getCommandSpec().qualifiedName()));
  }

  private static String suggestion(ParameterException e) {
    List<String> suggestions = suggestions(e);
    return suggestions.isEmpty()
        ? ""
        : Text.format(
            " (did you mean %s?)",
            String.join(
                " or ", suggestions.subList(0, Math.min(MAX_SUGGESTIONS, suggestions.size()))));
  }

  private static List<String> suggestions(ParameterException e) {
    CommandSpec command = e.getCommandLine().getCommandSpec();
    if (e instanceof UnmatchedArgumentException unmatched) {
      List<String> words = unmatched.getUnmatched();
      // An option behind -- is none, and its own name no help.
      return nearest(words.get(0), command).stream().filter(name -> !words.contains(name)).toList();
    }
    // Of the command help.
    boolean isUnknownCommand = e.getArgSpec() == null && e.getValue() != null;
    return isUnknownCommand ? nearest(e.getValue(), command) : List.of();
  }

  /** The names that take the fewest slips of the keyboard, or that a word is a part of. */
  private static List<String> nearest(String word, CommandSpec command) {
    boolean isOption = word.startsWith("-");
    String written = isOption ? word.split("=", 2)[0] : word;
    Stream<String> names =
        isOption
            ? command.options().stream()
                .filter(option -> !option.hidden())
                .flatMap(option -> Stream.of(option.names()))
            : command.subcommands().entrySet().stream()
                .filter(entry -> !entry.getValue().getCommandSpec().usageMessage().hidden())
                .map(Map.Entry::getKey);
    SortedMap<Integer, List<String>> bySlips =
        names.collect(
            Collectors.groupingBy(
                name -> isPart(written, name) ? 1 : Levenshtein.distance(written, name),
                TreeMap::new,
                Collectors.toList()));
    return bySlips.isEmpty() || bySlips.firstKey() > Math.max(1, written.length() / LETTERS_A_SLIP)
        ? List.of()
        : bySlips.get(bySlips.firstKey());
  }

  private static boolean isPart(String written, String name) {
    String letters = written.replaceFirst("^-+", "");
    return name.startsWith(written)
        || (letters.length() >= LETTERS_A_SLIP && name.contains(letters));
  }

  @Override
  public int handleExecutionException(
      Exception e, CommandLine commandLine, ParseResult parseResult) {
    if (e instanceof UncheckedIOException unchecked) {
      return report(console, sentence(unchecked.getCause()));
    }
    if (e instanceof IOException failure) {
      return report(console, sentence(failure));
    }
    if (e instanceof BadInputException
        || e instanceof TrainingDivergedException
        || e instanceof NotFiniteException
        || e instanceof DeviceMemoryException) {
      return report(console, e.getMessage());
    }
    console.trace(e);
    return CommandLine.ExitCode.SOFTWARE;
  }

  /** Writes the one line. */
  static int report(Console console, String sentence) {
    String line = sentence.strip().replaceAll("\\s*\\R\\s*", " ");
    console.note("ddpm: " + line + (line.contains(REPLACEMENT) ? NO_TEXT : ""));
    return BAD_INPUT;
  }

  /** The library's own messages are sentences; the JDK's are a file name or a few words. */
  private static String sentence(IOException e) {
    if (e instanceof FileSystemException failure) {
      return sentence(failure);
    }
    String message = String.valueOf(e.getMessage());
    if (message.matches("(?s).*[.?!]")) {
      return message;
    }
    return Text.format(
        "Reading or writing a file failed: %s.",
        e.getMessage() == null ? e.getClass().getSimpleName() : message);
  }

  private static String sentence(FileSystemException e) {
    String file = e.getFile();
    if (e instanceof NoSuchFileException) {
      return Text.format("%s does not exist; check the path.", file);
    }
    if (e instanceof AccessDeniedException) {
      return Text.format(
          "%s may not be read or written by this user; change its permissions or choose another path.",
          file);
    }
    if (e instanceof FileAlreadyExistsException || e instanceof NotDirectoryException) {
      return Text.format("%s is a file where a folder is needed; choose another path.", file);
    }
    return Text.format(
        "%s could not be read or written (the system says: %s); choose another path.",
        file, e.getReason() == null ? e.getClass().getSimpleName() : e.getReason());
  }
}
