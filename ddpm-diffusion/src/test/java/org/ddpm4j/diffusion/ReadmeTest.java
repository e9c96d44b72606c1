package org.ddpm4j.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ReadmeTest {

  /** Surefire runs tests in the module's folder. */
  @Test
  void showsTheProgramThatTheBuildRuns() throws IOException {
    String readme = Files.readString(Path.of("../README.md"));
    String program = Files.readString(Path.of("src/it/discs/src/main/java/Discs.java"));

    assertThat(readme).contains("```java\n" + program + "```\n");
  }
}
