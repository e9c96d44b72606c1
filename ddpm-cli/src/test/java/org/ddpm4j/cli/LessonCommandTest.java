package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the lessons show is tested where they are. */
class LessonCommandTest {

  @TempDir private Path folder;

  @Test
  @Tag("slow")
  void aLessonLeavesItsPictures() throws IOException {
    Path output = folder.resolve("a");
    Cli.Result result = Cli.run("lesson", "a", "--steps", 1, "--output", output);
    assertThat(result.isOk().out()).isEqualTo(output + "\n");
    assertThat(result.err()).startsWith("lesson: ").contains("noise-strips.png");
    try (Stream<Path> files = Files.list(output)) {
      List<Path> pictures = files.toList();
      assertThat(pictures).hasSizeGreaterThan(8);
      for (Path picture : pictures) {
        assertThat(ImageIO.read(picture.toFile())).as(picture.toString()).isNotNull();
      }
    }
  }

  @Test
  void whatIsNoLessonIsRefused() {
    Cli.run("lesson", "e").isBadInput("expected a, b, c, d but was 'e'");
    Cli.run("lesson").isBadInput("LESSON");
    Cli.run("lesson", "a", "--steps", 0).isBadInput("--steps is 0");
  }

  @Test
  void aFileIsNoPlaceForPictures() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    Cli.Result result = Cli.run("lesson", "a", "--steps", 1, "--output", file);
    assertThat(result.code()).isEqualTo(2);
    assertThat(result.err().lines().toList())
        .singleElement()
        .asString()
        .startsWith("ddpm: The folder " + file);
  }
}
