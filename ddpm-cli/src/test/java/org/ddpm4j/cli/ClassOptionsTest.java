package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Classes that are called by numbers, or "none", mean the same to every command. */
class ClassOptionsTest {

  @TempDir private static Path shared;
  private static Path data;
  private static Path run;

  @TempDir private Path folder;

  /** Classes 0, 1, 10, 2 and none, in this order, of images by which they can be told. */
  @BeforeAll
  static void trainOnce() throws IOException {
    data = shared.resolve("data");
    String[] names = {"0", "1", "10", "2", "none"};
    for (int label = 0; label < names.length; label++) {
      for (int i = 0; i < 3; i++) {
        BufferedImage image = new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB);
        for (int pixel = 0; pixel < 64; pixel++) {
          image.setRGB(pixel % 8, pixel / 8, 0x302010 * (label + 1));
        }
        Path file = data.resolve(names[label]).resolve(i + ".png");
        Files.createDirectories(file.getParent());
        ImageIO.write(image, "png", file.toFile());
      }
    }
    run = shared.resolve("run");
    Cli.run(
            Cli.tinyTraining(
                data,
                run,
                20,
                "--dataset",
                "folder",
                "--image-size",
                8,
                "--class-conditional",
                "--learning-rate",
                "0.05"))
        .isOk();
  }

  private byte[] drawn(Object... options) throws IOException {
    Path output = folder.resolve("drawn.png");
    Cli.run(
            Stream.concat(
                    Stream.of(
                        "sample", "--run", run, "--count", 1, "--steps", 3, "--output", output),
                    Arrays.stream(options))
                .toArray())
        .isOk();
    return Files.readAllBytes(output);
  }

  @Test
  void aNameComesBeforeANumberWhenDrawing() throws IOException {
    byte[] two = drawn("--class", "2");
    assertThat(two).isNotEqualTo(drawn("--class", "10"));
    assertThat(two).isEqualTo(drawn("--class", "3")).isEqualTo(drawn("--class", "02"));
  }

  @Test
  void dataAndTrainingTakeTheSameClass() throws IOException {
    for (String wanted : new String[] {"2", "3", "02"}) {
      Cli.Result result =
          Cli.run(
                  "data",
                  "--dataset",
                  "folder",
                  "--data",
                  data,
                  "--image-size",
                  8,
                  "--class",
                  wanted,
                  "--output",
                  folder.resolve("data.png"))
              .isOk();
      assertThat(result.out()).contains("  3    2: 3").contains("  2    10: 0");
    }
  }

  @Test
  void noClassIsNotTheClassThatIsCalledNone() throws IOException {
    byte[] called = drawn("--class", "none");
    byte[] none = drawn("--no-class");
    assertThat(called).isEqualTo(drawn("--class", "4")).isEqualTo(drawn("--class", "NONE"));
    assertThat(none).isNotEqualTo(called);
    assertThat(none).isEqualTo(drawn("--class", "1", "--guidance", 0));
    Cli.run("sample", "--run", run, "--no-class", "--class", "1", "--steps", 2)
        .isBadInput("'--no-class' does not go with '--class'");
    Path plain = folder.resolve("plain");
    Cli.run(Cli.tinyTraining(data, plain, 2, "--dataset", "folder", "--image-size", 8)).isOk();
    Cli.run("sample", "--run", plain, "--no-class", "--count", 1, "--steps", 2)
        .isBadInput("was not told classes", "--no-class");
  }

  @Test
  void editingTakesTheSameClasses() throws IOException {
    Path image = data.resolve("2/0.png");
    byte[][] pictures = new byte[4][];
    Object[][] options = {{"--class", "2"}, {"--class", "3"}, {"--no-class"}, {}};
    for (int i = 0; i < options.length; i++) {
      Path output = folder.resolve(i + ".png");
      Cli.run(
              Stream.concat(
                      Stream.of(
                          "image-to-image",
                          "--image",
                          image,
                          "--run",
                          run,
                          "--steps",
                          3,
                          "--strength",
                          1,
                          "--output",
                          output),
                      Arrays.stream(options[i]))
                  .toArray())
          .isOk();
      pictures[i] = Files.readAllBytes(output);
    }
    assertThat(pictures[0]).isEqualTo(pictures[1]).isNotEqualTo(pictures[2]);
    assertThat(pictures[3]).as("a file has no class").isEqualTo(pictures[2]);
  }
}
