package org.ddpm4j.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Fuzzes the readers one after the other, each in a process of its own, for so many seconds as the
 * profile {@code fuzz} says. What is found stays in {@code target/fuzzing}.
 */
@EnabledIfSystemProperty(named = FuzzReadersTest.SECONDS, matches = "[1-9]\\d*")
class FuzzReadersTest {

  static final String SECONDS = "ddpm4j.fuzz.seconds";

  private static final Pattern EXECUTIONS =
      Pattern.compile("stat::number_of_executed_units: (\\d+)");

  @ParameterizedTest
  @EnumSource
  void nothingIsFound(FuzzTarget target, TestReporter reporter) throws Exception {
    Path output = Path.of("target", "fuzzing", target.label()).toAbsolutePath();
    Path findings = Files.createDirectories(output.resolve("findings"));
    Path corpus = Files.createDirectories(output.resolve("corpus"));
    Path log = output.resolve("log.txt");
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx1g",
            "-XX:+UseSerialGC",
            "-Djava.awt.headless=true",
            "-cp",
            System.getProperty("java.class.path"),
            Fuzzer.class.getName(),
            target.label(),
            System.getProperty(SECONDS),
            findings.toString(),
            corpus.toString(),
            Path.of(FuzzReadersTest.class.getResource(target.label()).toURI()).toString());
    new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(log.toFile())
        .start()
        .waitFor();
    Matcher executions = EXECUTIONS.matcher(Files.readString(log));
    assertThat(executions.find()).as("it ran, see %s", log).isTrue();
    reporter.publishEntry(target.label(), executions.group(1) + " executions");
    try (Stream<Path> files = Files.list(findings)) {
      assertThat(files.toList()).as("findings, see %s", log).isEmpty();
    }
  }
}
