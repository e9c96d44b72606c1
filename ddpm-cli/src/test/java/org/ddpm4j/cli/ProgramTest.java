package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.OptionalInt;
import org.ddpm4j.cli.terminal.Console;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProgramTest {

  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private Console console(OptionalInt columns) {
    return new Console(
        new ByteArrayOutputStream(), new PrintStream(err, true, StandardCharsets.UTF_8), columns);
  }

  private String err() {
    return err.toString(StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "train",
        "sample",
        "inpaint",
        "image-to-image",
        "interpolate",
        "invert",
        "evaluate",
        "schedules",
        "predict",
        "convert",
        "info",
        "bench",
        "completion"
      })
  void everySubcommandHasHelp(String command) {
    assertThat(Cli.run(command, "--help").isOk().out())
        .startsWith("Usage: ddpm " + command)
        .contains("--verbose");
  }

  @Test
  void helpListsTheSubcommands() {
    assertThat(Cli.run("--help").isOk().out())
        .contains(
            "train", "sample", "evaluate", "schedules", "predict", "info", "bench", "completion");
  }

  @Test
  void versionIsTheBuilds() {
    assertThat(Cli.run("--version").isOk().out()).matches("ddpm4j \\d+\\.\\d+\\.\\d+\\S*\\n.*\\n");
  }

  @Test
  void withoutASubcommandItHelps() {
    assertThat(Cli.run().isOk().out()).isEqualTo(Cli.run("--help").isOk().out());
  }

  @Test
  void anUnknownSubcommandIsBadInput() {
    Cli.run("trian").isBadInput("trian", "train");
  }

  @Test
  void completionKnowsOptionsAndTheirValues() {
    assertThat(Cli.run("completion").isOk().out())
        .startsWith("#!/usr/bin/env bash")
        .contains("--dim-mults", "linear-scaled", "complete -F");
  }

  @Test
  void helpThatCannotBeWrittenIsSaid() {
    OutputStream full =
        new OutputStream() {
          @Override
          public void write(int value) throws IOException {
            throw new IOException("No space left on device");
          }
        };
    Console console =
        new Console(full, new PrintStream(err, true, StandardCharsets.UTF_8), OptionalInt.empty());
    assertThat(Main.run(console, "train", "--help")).isEqualTo(2);
    assertThat(err()).startsWith("ddpm: Standard output could not be written (No space left");
  }

  @Test
  void aBugKeepsItsStackTrace() {
    Failures failures = new Failures(console(OptionalInt.empty()));
    int code = failures.handleExecutionException(new IllegalArgumentException("a bug"), null, null);
    assertThat(code).isEqualTo(1);
    assertThat(err()).contains("IllegalArgumentException: a bug", "\tat ");
  }

  @Test
  void failuresOfTheJdkBecomeSentences() {
    assertThat(sentence(new NoSuchFileException("a/b"))).contains("a/b does not exist");
    assertThat(sentence(new AccessDeniedException("a/b"))).contains("a/b", "permissions");
    assertThat(sentence(new FileSystemException("a/b", null, "No space left on device")))
        .contains("a/b", "No space left on device");
    assertThat(sentence(new IOException("No space left on device")))
        .contains("No space left on device");
    assertThat(sentence(new IOException("Two\nlines."))).isEqualTo("ddpm: Two lines.\n");
  }

  private String sentence(IOException e) {
    err.reset();
    int code = new Failures(console(OptionalInt.empty())).handleExecutionException(e, null, null);
    assertThat(code).isEqualTo(2);
    assertThat(err()).startsWith("ddpm: ").endsWith(".\n").hasLineCount(1);
    return err();
  }

  @Test
  void optionsBehindTwoHyphensAreNone() {
    Cli.run("data", "--", "--offline").isBadInput("'--offline'; see 'ddpm data --help'");
    Cli.run("evaluate", "--", "--distances")
        .isBadInput("'--distances'; see 'ddpm evaluate --help'");
  }
}
