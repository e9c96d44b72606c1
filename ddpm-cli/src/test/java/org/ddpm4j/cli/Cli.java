package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.ddpm4j.cli.terminal.Console;
import picocli.CommandLine;

/** Runs the program inside the test's virtual machine and catches what it writes. */
public final class Cli {

  /** A rate as it is printed: with one decimal, or with three digits where it is below ten. */
  public static final String RATE = "(?:\\d{2,}\\.\\d|[1-9]\\.\\d{2}|0\\.\\d{3})";

  /** The smallest network there is: a model for tests of everything but quality. */
  private static final List<String> TINY =
      List.of(
          "--offline",
          "--dim",
          "4",
          "--dim-mults",
          "1,2",
          "--groups",
          "2",
          "--attention-heads",
          "1",
          "--attention-head-dim",
          "4",
          "--timesteps",
          "6",
          "--batch-size",
          "4",
          "--validation-images",
          "4",
          "--report-every",
          "2",
          "--sample-steps",
          "2");

  private Cli() {}

  /**
   * What a run of the program left.
   *
   * @param code the exit code
   * @param out standard output
   * @param err standard error
   */
  public record Result(int code, String out, String err) {

    /** That it ended well, and said nothing to the contrary. */
    public Result isOk() {
      assertThat(err).doesNotContain("Exception", "ddpm: ");
      assertThat(code).as(err).isZero();
      return this;
    }

    /** As {@link #isBadInput}, after lines that tell of work that had begun. */
    Result isBadInputAtEnd(String... parts) {
      String last = err.lines().reduce((before, line) -> line).orElse("");
      assertThat(last).startsWith("ddpm: ").endsWith(".").contains(parts);
      assertThat(err).doesNotContain("Exception", "\tat ");
      assertThat(code).isEqualTo(2);
      return this;
    }

    /** That it ended with exit code 2 and one sentence, which contains the given parts. */
    public Result isBadInput(String... parts) {
      assertThat(err).as("standard error").startsWith("ddpm: ").endsWith(".\n");
      assertThat(err.lines()).hasSize(1);
      assertThat(err).contains(parts).doesNotContain("Exception", "\tat ");
      assertThat(code).isEqualTo(2);
      assertThat(out).isEmpty();
      return this;
    }
  }

  public static Result run(Object... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Console console =
        new Console(out, new PrintStream(err, true, StandardCharsets.UTF_8), OptionalInt.empty());
    int code = Main.run(console, Arrays.stream(args).map(Object::toString).toArray(String[]::new));
    return new Result(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  /** The program with all its commands, which writes to nowhere. */
  static CommandLine program() {
    return program(Commands.ALL);
  }

  /** The same with some of its commands. */
  static CommandLine program(List<String> commands) {
    PrintStream nowhere =
        new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8);
    return Main.commandLine(new Console(nowhere, nowhere, OptionalInt.empty()), commands);
  }

  /** The options of that model. */
  public static List<String> tiny() {
    return TINY;
  }

  /** The arguments of a training of a few hundred milliseconds. */
  public static Object[] tinyTraining(Path data, Path run, int steps, Object... more) {
    return Stream.of(
            Stream.of("train", "--data", data, "--run", run, "--steps", steps),
            TINY.stream(),
            Arrays.stream(more))
        .flatMap(part -> part)
        .toArray();
  }
}
