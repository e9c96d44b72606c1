package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.ddpm4j.cli.terminal.Console;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.ParseResult;

/** What memory it was that ran out, and by which of the command's own options less is needed. */
class MemoryShortageTest {

  private static String sentence(String message, String... args) {
    ParseResult parsed = Main.commandLine(Console.ofProcess()).parseArgs(args);
    System.setProperty("ddpm.home", "anywhere");
    try {
      return MemoryShortage.sentence(new OutOfMemoryError(message), parsed);
    } finally {
      System.clearProperty("ddpm.home");
    }
  }

  /** Who has begun Java without the launcher has no use for the launcher's variables. */
  @Test
  void javaItselfIsToldByItsOwnOptions() {
    assertThat(MemoryShortage.sentence(new OutOfMemoryError("Physical memory"), null))
        .contains(
            "by java -Dorg.bytedeco.javacpp.maxbytes=8g -Dorg.bytedeco.javacpp.maxphysicalbytes=8g.")
        .doesNotContain("DDPM_");
    assertThat(MemoryShortage.sentence(new OutOfMemoryError("Java heap space"), null))
        .contains("by java -Xmx")
        .doesNotContain("DDPM_");
    Cli.run("sample")
        .isBadInput("one of '--run=DIR' and '--model=DIR' is needed", "only the launcher, ddpm");
  }

  @Test
  void memoryOutsideOfTheHeapIsAllowedByTheLauncher() {
    String said =
        sentence(
            "Physical memory usage is too high: physicalBytes (3081M) > maxPhysicalBytes (3072M)",
            "train",
            "--image-size",
            "4096");
    assertThat(said)
        .startsWith("There is not enough memory for this")
        .contains("choose less for --image-size, --batch-size,", "by DDPM_MEMORY.")
        .doesNotContain("physicalBytes", "--count");
  }

  /** What JavaCPP says whose process is at its limit already. */
  @Test
  void namesOfClassesAreNotForUsers() {
    for (String message :
        List.of(
            "Cannot allocate new LongPointer(1): totalBytes = 189M, physicalBytes = 551M",
            "Failed to allocate memory within limits: totalBytes (3081M) > maxBytes (3072M)")) {
      assertThat(sentence(message, "train"))
          .startsWith("There is not enough memory for this; choose less for --image-size")
          .doesNotContain("Bytes");
    }
  }

  @Test
  void theHeapHasAnOptionOfJavas() {
    long most = Runtime.getRuntime().maxMemory() >> 20;
    assertThat(sentence("Java heap space", "sample"))
        .contains(
            "in Java's heap of ", "--batch-size, --count", "DDPM_JAVA_OPTS=-Xmx" + 2 * most + "m.")
        .doesNotContain("--image-size", "DDPM_MEMORY");
  }

  @Test
  void whatIsNotKnownIsQuoted() {
    assertThat(sentence("unable to create native thread", "info", "--devices"))
        .contains("(unable to create native thread); choose a smaller network");
    assertThat(MemoryShortage.sentence(new OutOfMemoryError("Metaspace"), null))
        .contains("(Metaspace); choose smaller batches");
  }
}
