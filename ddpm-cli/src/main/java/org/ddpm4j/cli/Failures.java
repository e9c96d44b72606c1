package org.ddpm4j.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.List;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.FileNames;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.diffusion.NotFiniteException;
import org.ddpm4j.diffusion.training.TrainingDivergedException;
import org.ddpm4j.io.Text;
import org.ddpm4j.kernels.plan.DeviceMemoryException;
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

  private final Console console;

  Failures(Console console) {
    this.console = console;
  }

  @Override
  public int handleParseException(ParameterException e, String[] args) {
    CommandSpec command = e.getCommandLine().getCommandSpec();
    return report(
        console, Text.format("%s; see '%s --help'.", message(e, args), command.qualifiedName()));
  }

  private static String message(ParameterException e, String... args) {
    CommandSpec command = e.getCommandLine().getCommandSpec();
    // What is said of other words, or of options that are missing, often follows from these.
    List<String> options = UnknownWords.options(command, List.of(args));
    if (!options.isEmpty()) {
      return listed(
          "Unknown option",
          options.stream().map(option -> UnknownWords.named(option, command)).toList());
    }
    boolean hasSubcommands = !command.subcommands().isEmpty();
    if (e instanceof UnmatchedArgumentException unmatched) {
      List<String> words = unmatched.getUnmatched();
      return hasSubcommands
          ? "Unknown command: " + UnknownWords.named(words.get(0), command)
          : listed(
              "Unexpected argument",
              words.stream().map(word -> UnknownWords.argument(word, command)).toList());
    }
    // Of the command help.
    if (hasSubcommands && e.getArgSpec() == null && e.getValue() != null) {
      return "Unknown command: " + UnknownWords.named(e.getValue(), command);
    }
    // With several options wrong at once, picocli gives each a line.
    return e.getMessage().replaceFirst("^Error: ", "").replaceAll("[.\\s]+$", "");
  }

  private static String listed(String what, List<String> words) {
    return Text.format("%s%s: %s", what, words.size() == 1 ? "" : "s", String.join(", ", words));
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
    // Of a name that a file or the environment has; those of the command line are refused before.
    if (e instanceof InvalidPathException invalid) {
      return report(console, FileNames.refusal(invalid.getInput()));
    }
    console.trace(e);
    return CommandLine.ExitCode.SOFTWARE;
  }

  /** Writes the one line. */
  static int report(Console console, String sentence) {
    String line = sentence.strip().replaceAll("\\s*\\R\\s*", " ");
    console.note("ddpm: " + line + FileNames.explanation(line));
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
