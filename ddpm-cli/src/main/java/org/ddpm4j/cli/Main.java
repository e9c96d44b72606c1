package org.ddpm4j.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import org.ddpm4j.cli.measure.DistancesCommand;
import org.ddpm4j.cli.options.BadInputException;
import org.ddpm4j.cli.options.FileNames;
import org.ddpm4j.cli.options.Numbers;
import org.ddpm4j.cli.options.OptionRules;
import org.ddpm4j.cli.terminal.Console;
import org.ddpm4j.cli.terminal.Interruption;
import picocli.CommandLine;
import picocli.CommandLine.TypeConversionException;

/** The entry point of the {@code ddpm} program. */
public final class Main {

  private Main() {}

  /**
   * Runs the program and ends the virtual machine with its exit code: 0 if all went well, 2 for bad
   * input, 1 for a bug.
   *
   * @param args the command line
   */
  public static void main(String[] args) {
    Console console = Console.ofProcess();
    // What is printed and written is the same for everybody, libraries included.
    Locale.setDefault(Locale.ROOT);
    try {
      NativeFolder.settle(System.getProperties(), System.getenv());
    } catch (InvalidPathException e) {
      System.exit(Failures.report(console, FileNames.refusal(e.getInput())));
    }
    // Networks compute with rows, whichever order the environment's Java options give ND4J.
    System.setProperty("ndarray.order", "c");
    Interruption.finishWritesAtEnd();
    NativeLibraries libraries = NativeLibraries.ahead(args);
    // SameDiff prints to System.out now and then, which would mix with results.
    System.setOut(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
    // Its cache is a file in the system's temporary folder, for pictures that fit into memory.
    ImageIO.setUseCache(false);
    System.exit(run(console, libraries, args));
  }

  /** Runs the program and returns the exit code. */
  static int run(Console console, String... args) {
    return run(console, NativeLibraries.WHEN_NEEDED, args);
  }

  private static int run(Console console, NativeLibraries libraries, String... args) {
    // Picocli would not notice that its help cannot be written.
    StringWriter help = new StringWriter();
    CommandLine program = null;
    try {
      String[] words = DistancesCommand.named(args);
      program =
          commandLine(console, Commands.of(words))
              .setOut(new PrintWriter(help, true))
              .setExecutionStrategy(
                  result -> {
                    libraries.await();
                    return OptionRules.run(result);
                  });
      int code = program.execute(words);
      console.print(stream -> stream.write(help.toString().getBytes(StandardCharsets.UTF_8)));
      return code;
    } catch (IOException e) {
      return Failures.report(console, e.getMessage());
    } catch (OutOfMemoryError e) {
      return Failures.report(
          console, MemoryShortage.sentence(e, program == null ? null : program.getParseResult()));
    } catch (LinkageError e) {
      if (NativeFolder.explains(e)) {
        return Failures.report(console, NativeFolder.sentence(e));
      }
      throw e;
    }
  }

  /**
   * The program with all its commands.
   *
   * @param console where it writes
   * @return the command line, which executes arguments
   */
  public static CommandLine commandLine(Console console) {
    return commandLine(console, Commands.ALL);
  }

  /** The program with some of its commands. */
  static CommandLine commandLine(Console console, List<String> commands) {
    Failures failures = new Failures(console);
    // It warns those who have two options for help, which is meant: --help and --help-all.
    CommandLine.tracer().setLevel(CommandLine.TraceLevel.OFF);
    CommandLine program = new CommandLine(new Ddpm());
    for (String name : commands) {
      program.addSubcommand(Commands.commandLine(name, console));
    }
    HelpSections.install(program);
    Numbers.register(program);
    return program
        .setOut(new PrintWriter(console.out(), true, StandardCharsets.UTF_8))
        .setErr(new PrintWriter(console.err(), true, StandardCharsets.UTF_8))
        // A file whose name begins with @ is a file, and not a list of arguments.
        .setExpandAtFiles(false)
        .registerConverter(Path.class, Main::path)
        .setExecutionStrategy(OptionRules::run)
        .setParameterExceptionHandler(failures)
        .setExecutionExceptionHandler(failures);
  }

  private static Path path(String words) {
    if (words.isEmpty()) {
      throw new TypeConversionException("it is empty; name a file or a folder.");
    }
    try {
      return FileNames.path(words);
    } catch (BadInputException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }
}
