package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The commands that edit images, with a network of two steps' training on images of 8 by 8. */
class EditingCommandsTest {

  private static final int CELL = 9;

  @TempDir private static Path shared;
  private static Path data;
  private static Path run;
  private static Path conditional;

  @TempDir private Path folder;

  @BeforeAll
  static void trainOnce() throws IOException {
    data = IdxFixture.write(shared.resolve("data"), 12, 8, 5);
    run = shared.resolve("run");
    conditional = shared.resolve("conditional");
    Cli.run(Cli.tinyTraining(data, run, 2)).isOk();
    Cli.run(Cli.tinyTraining(data, conditional, 2, "--class-conditional")).isOk();
  }

  private static Object[] args(String command, Path ofRun, Object... more) {
    return Stream.concat(
            Stream.of(command, "--run", ofRun, "--data", data, "--scale", 1), Arrays.stream(more))
        .toArray();
  }

  private Path edit(String name, String command, Object... more) {
    Path output = folder.resolve(name);
    Object[] all = Stream.concat(Stream.of("--output", output), Arrays.stream(more)).toArray();
    assertThat(Cli.run(args(command, run, all)).isOk().out()).endsWith(output + "\n");
    return output;
  }

  private static BufferedImage picture(Path file) throws IOException {
    return ImageIO.read(file.toFile());
  }

  /** The grey levels of a cell of the table, counted from the right and from the top. */
  private static int[] cell(BufferedImage table, int fromRight, int top) {
    int left = table.getWidth() - 10 - 1 - (fromRight + 1) * CELL + 1;
    int[] levels = new int[64];
    Arrays.setAll(levels, i -> table.getRGB(left + i % 8, top + 1 + i / 8) & 0xFF);
    return levels;
  }

  private Path grey(String name, int side, int level) throws IOException {
    BufferedImage image = new BufferedImage(side, side, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < side * side; i++) {
      image.getRaster().setSample(i % side, i / side, 0, level);
    }
    Path file = folder.resolve(name);
    ImageIO.write(image, "png", file.toFile());
    return file;
  }

  @Test
  void inpaintingKeepsWhatIsKnown() throws IOException {
    BufferedImage table =
        picture(edit("a.png", "inpaint", "--image", 3, "--count", 2, "--steps", 4));
    int[] image = cell(table, 3, 26);
    int[] known = cell(table, 2, 26);
    int[] drawn = cell(table, 0, 26);
    int changed = 0;
    for (int i = 0; i < 64; i++) {
      boolean inBox = i / 8 >= 2 && i / 8 < 6 && i % 8 >= 2 && i % 8 < 6;
      assertThat(known[i]).isEqualTo(inBox ? 128 : image[i]);
      if (!inBox) {
        assertThat(drawn[i]).isEqualTo(image[i]);
      }
      changed += drawn[i] != image[i] ? 1 : 0;
    }
    assertThat(changed).isBetween(8, 16);
  }

  @Test
  void aMaskIsAPicture() throws IOException {
    BufferedImage half = new BufferedImage(16, 16, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < 256; i++) {
      half.getRaster().setSample(i % 16, i / 16, 0, i % 16 < 8 ? 255 : 0);
    }
    Path mask = folder.resolve("mask.png");
    ImageIO.write(half, "png", mask.toFile());
    BufferedImage ofFile =
        picture(
            edit("a.png", "inpaint", "--image", "1", "--mask", mask, "--count", 1, "--steps", 3));
    BufferedImage ofBox =
        picture(
            edit(
                "b.png",
                "inpaint",
                "--image",
                1,
                "--mask-box",
                "right",
                "--count",
                1,
                "--steps",
                3));
    BufferedImage ofNumbers =
        picture(
            edit(
                "c.png",
                "inpaint",
                "--image",
                1,
                "--mask-box",
                "0,4,8,4",
                "--count",
                1,
                "--steps",
                3));
    for (int fromRight = 0; fromRight < 3; fromRight++) {
      assertThat(cell(ofFile, fromRight, 26))
          .isEqualTo(cell(ofBox, fromRight, 26))
          .isEqualTo(cell(ofNumbers, fromRight, 26));
    }
  }

  @Test
  void imagesOfFilesAreBroughtToTheModelsSizeAndColours() throws IOException {
    BufferedImage red = new BufferedImage(20, 30, BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < 600; i++) {
      red.setRGB(i % 20, i / 20, 0xFF0000);
    }
    Path file = folder.resolve("red.png");
    ImageIO.write(red, "png", file.toFile());
    BufferedImage table =
        picture(edit("a.png", "inpaint", "--image", file, "--count", 1, "--steps", 2));
    assertThat(cell(table, 2, 26)).containsOnly(76);
  }

  @Test
  void imageToImageHasAColumnForEachStrength() throws IOException {
    Path first = edit("a.png", "image-to-image", "--strength", "0.5,1", "--count", 2, "--steps", 4);
    BufferedImage table = picture(first);
    // A row of noisy images, and two of drawn ones.
    assertThat(table.getHeight()).isEqualTo(26 + 3 * (CELL + 1 + 10));
    assertThat(cell(table, 2, 26)).isEqualTo(cell(table, 2, 26 + CELL + 11));
    assertThat(cell(table, 0, 26)).isNotEqualTo(cell(table, 1, 26));
    assertThat(cell(table, 0, 26 + CELL + 11)).isNotEqualTo(cell(table, 0, 26 + 2 * (CELL + 11)));
    Path again = edit("b.png", "image-to-image", "--strength", "0.5,1", "--count", 2, "--steps", 4);
    assertThat(again).hasSameBinaryContentAs(first);
    Path other =
        edit(
            "c.png",
            "image-to-image",
            "--strength",
            "0.5,1",
            "--count",
            2,
            "--steps",
            4,
            "--sampler",
            "ddpm");
    assertThat(Files.mismatch(other, first)).isNotNegative();
  }

  @Test
  void interpolationGoesFromOneImageToTheOther() throws IOException {
    BufferedImage table =
        picture(edit("a.png", "interpolate", "--from", 0, "--to", 7, "--points", 4));
    int[] first = cell(table, 3, 10);
    int[] last = cell(table, 0, 10);
    int[] third = cell(table, 1, 10);
    for (int i = 0; i < 64; i++) {
      assertThat((double) third[i]).isCloseTo(first[i] / 3.0 + 2 * last[i] / 3.0, within(1.0));
    }
    assertThat(table.getHeight()).isEqualTo(10 + 3 * (CELL + 1 + 10));
    assertThat(picture(edit("b.png", "interpolate", "--seeds", "1,2", "--points", 3)).getHeight())
        .isEqualTo(10 + 2 * (CELL + 1 + 10));
  }

  /** A strength of 0.35 leaves none of two steps, but plays no part between noises. */
  @Test
  void interpolationBetweenNoisesTakesAnyNumberOfSteps() {
    edit("a.png", "interpolate", "--seeds", "1,2", "--steps", 2, "--points", 2);
    Cli.run(args("interpolate", run, "--from", 0, "--to", 1, "--steps", 2))
        .isBadInput("A strength of 0.35 leaves none of 2 steps");
  }

  @Test
  void inversionPrintsItsErrors() throws IOException {
    Path output = folder.resolve("a.png");
    String out =
        Cli.run(
                args(
                    "invert",
                    run,
                    "--image",
                    "0,1",
                    "--steps",
                    "2,6",
                    "--iterations",
                    2,
                    "--output",
                    output))
            .isOk()
            .out();
    assertThat(out.lines().toList()).hasSize(4);
    assertThat(out).startsWith("steps  error").endsWith(output + "\n");
    assertThat(picture(output).getHeight()).isEqualTo(10 + 5 * (CELL + 1 + 10));
  }

  /** Values end at commas, and so a name with one in it was looked for in two parts. */
  @Test
  void aCommaInTheNameOfAnImageIsExplained() throws IOException {
    Path image = grey("grey, small.png", 8, 90);
    for (String command : new String[] {"inpaint", "invert"}) {
      Path output = folder.resolve("never.png");
      Cli.run(args(command, run, "--image", image, "--output", output, "--steps", "2"))
          .isBadInput(
              "grey, small.png has a comma in its name", "commas part the images of --image");
      assertThat(output).doesNotExist();
    }
  }

  @Test
  void networksOfClassesAreToldThem() throws IOException {
    for (String command : new String[] {"inpaint", "image-to-image", "interpolate", "invert"}) {
      Path output = folder.resolve(command + ".png");
      Object[] small =
          command.equals("invert")
              ? new Object[] {"--output", output, "--steps", "2"}
              : new Object[] {"--output", output, "--steps", 5};
      Cli.run(args(command, conditional, small)).isOk();
      assertThat(output).exists();
    }
    Path bag = folder.resolve("bag.png");
    Cli.run(
            args(
                "inpaint",
                conditional,
                "--image",
                grey("grey.png", 8, 90),
                "--class",
                "Bag",
                "--steps",
                2,
                "--output",
                bag))
        .isOk();
    Cli.run(args("inpaint", run, "--class", "Bag")).isBadInput("was not told classes");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "inpaint; --count; 0; --count is 0",
        "inpaint; --steps; 7; 1 to 6",
        "inpaint; --jump-length; 0; --jump-length is 0",
        "inpaint; --resamplings; 0; --resamplings is 0",
        "inpaint; --resamplings; 20000000; take fewer",
        "inpaint; --image; 12; There is no test image 12: of ",
        "inpaint; --image; nothing.png; nothing.png cannot be read: it does not exist",
        "inpaint; --mask; nothing.png; nothing.png cannot be read",
        "inpaint; --mask-box; middle; expected center",
        "inpaint; --mask-box; 1,2,3; expected center",
        "inpaint; --mask-box; 5,0,4,4; does not lie in an image of 8x8",
        "inpaint; --mask-box; 0,0,0,4; does not lie",
        "image-to-image; --strength; 0; above 0",
        "image-to-image; --strength; 1.5; at most 1",
        "image-to-image; --strength; 0.01; leaves none of 6 steps",
        "image-to-image; --sampler; magic; expected ddpm",
        "interpolate; --points; 1; --points is 1",
        "interpolate; --strength; 2; at most 1",
        "interpolate; --seeds; 1; takes two",
        "interpolate; --seeds; 1,1,1; takes two",
        "invert; --iterations; 0; --iterations is 0",
        "invert; --steps; 9; 1 to 6",
      })
  void badValuesAreRefused(String command, String option, String value, String part) {
    Object[] small = {option, value};
    Cli.run(args(command, run, small)).isBadInput(part);
  }

  @Test
  void whatDoesNotGoTogetherIsRefused() throws IOException {
    Path white = grey("white.png", 8, 255);
    Cli.run(args("inpaint", run, "--mask", white)).isBadInput("white all over");
    Cli.run(args("inpaint", run, "--mask", white, "--mask-box", "left")).isBadInput("--mask");
    Cli.run(args("interpolate", run, "--seeds", "1,2", "--from", 1)).isBadInput("--from");
    Cli.run("inpaint", "--model", run.resolve("unet"), "--size", 8, "--timesteps", 6)
        .isBadInput("A model folder knows no test images");
    Cli.run("inpaint", "--run", run, "--scale", 17).isBadInput("--scale is 17");
    Path output = folder.resolve("model.png");
    Cli.run(
            "inpaint",
            "--model",
            run.resolve("unet"),
            "--size",
            8,
            "--timesteps",
            6,
            "--image",
            white,
            "--output",
            output)
        .isOk();
    assertThat(output).exists();
  }
}
