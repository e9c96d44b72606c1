package org.ddpm4j.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FoldersTest {

  @TempDir private Path folder;

  @Test
  void makesWhatIsMissing() throws IOException {
    Path deep = folder.resolve("a").resolve("b");

    Folders.create(deep);
    Folders.create(deep);

    assertThat(deep).isDirectory();
  }

  @Test
  void aFileInItsPlaceIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "kept");

    assertThatThrownBy(() -> Folders.create(file))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "The folder %s cannot be made because there is a file in its place; choose another path.",
            file);
    assertThat(file).hasContent("kept");
  }

  @Test
  void aFileAboveIsAnErrorToo() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "kept");
    Path below = file.resolve("below");

    assertThatThrownBy(() -> Folders.create(below))
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("The folder %s cannot be made because ", below)
        .hasMessageEndingWith(".");
  }
}
