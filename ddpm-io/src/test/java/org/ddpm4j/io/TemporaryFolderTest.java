package org.ddpm4j.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemporaryFolderTest {

  @TempDir private Path elsewhere;

  @Test
  void goesWithAllThatItHolds() throws IOException {
    Path kept = Files.writeString(elsewhere.resolve("kept"), "kept");
    TemporaryFolder folder = new TemporaryFolder("ddpm4j-test-");
    Path deep = Files.createDirectories(folder.path().resolve("a").resolve("b"));
    Files.writeString(deep.resolve("file"), "gone");
    Files.createSymbolicLink(folder.path().resolve("link"), elsewhere);

    folder.close();
    folder.close();

    assertThat(folder.path()).doesNotExist();
    assertThat(kept).hasContent("kept");
  }
}
