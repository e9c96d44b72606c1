package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProgramTest {

  private static final long SECOND = 1_000_000_000L;

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
  void aTaskOfTwoSecondsIsQuiet() {
    long[] now = {0};
    try (Progress progress =
        new Progress(console(OptionalInt.empty()), "train", "steps", 0, 10, () -> now[0])) {
      now[0] = 19 * SECOND / 10;
      progress.update(10, "");
    }
    assertThat(err()).isEmpty();
  }

  @Test
  void elsewhereThanOnATerminalThereAreLinesNowAndThen() {
    long[] now = {0};
    try (Progress progress =
        new Progress(console(OptionalInt.empty()), "train", "steps", 100, 110, () -> now[0])) {
      for (int second = 1; second <= 10; second++) {
        now[0] = second * SECOND;
        progress.update(100 + second, "loss 0." + second);
      }
    }
    assertThat(err())
        .isEqualTo(
            """
            train: 102/110 steps, 1.00/s, 0:00:02, ETA 0:00:08, loss 0.2
            train: 107/110 steps, 1.00/s, 0:00:07, ETA 0:00:03, loss 0.7
            train: 110/110 steps, 1.00/s, 0:00:10, ETA 0:00:00, loss 0.10
            """);
  }

  @Test
  void onATerminalThereIsABar() {
    long[] now = {0};
    try (Progress progress =
        new Progress(console(OptionalInt.of(70)), "train", "steps", 0, 10, () -> now[0])) {
      now[0] = 5 * SECOND;
      progress.update(5, "loss 0.5");
    }
    assertThat(err()).contains("\rtrain", "50%", "5/10", "loss 0.5");
    assertThat(err().lines().map(String::strip)).allSatisfy(l -> assertThat(l).hasSizeLessThan(70));
  }
}
