package org.ddpm4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ReadmeTest {

  /** Surefire runs tests in the module's folder; ddpm-models' ReadmeTest compiles what it shows. */
  @Test
  void showsTheProgramThatTheBuildRuns() throws IOException {
    String program = Files.readString(Path.of("src/it/discs/src/main/java/Discs.java"));

    assertThat(Files.readString(Path.of("../README.md"))).contains("```java\n" + program + "```\n");
  }
}
