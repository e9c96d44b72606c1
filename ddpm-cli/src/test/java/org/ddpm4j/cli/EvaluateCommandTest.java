package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EvaluateCommandTest {

  @TempDir private static Path shared;
  private static Path data;
  private static Path run;

  @TempDir private Path folder;

  @BeforeAll
  static void trainOnce() throws IOException {
    data = IdxFixture.write(shared.resolve("data"), 12, 8, 5);
    run = shared.resolve("run");
    // Six timesteps.
    Cli.run(Cli.tinyTraining(data, run, 2)).isOk();
  }

  private Cli.Result evaluate(Path output, Object... more) {
    Object[] args =
        Stream.concat(
                Stream.of("evaluate", "--run", run, "--data", data, "--output", output),
                Stream.of(more))
            .toArray();
    return Cli.run(args);
  }

  private static double[][] table(Path file) throws IOException {
    return Files.readAllLines(file).stream()
        .skip(1)
        .map(line -> Arrays.stream(line.split(",")).mapToDouble(Double::parseDouble).toArray())
        .toArray(double[][]::new);
  }

  private static double value(String out, String name) {
    Matcher matcher = Pattern.compile("(?m)^" + name + " +(\\S+)").matcher(out);
    assertThat(matcher.find()).as(out).isTrue();
    return Double.parseDouble(matcher.group(1));
  }

  @Test
  void theTablesAddUpToTheSummary() throws IOException {
    String out = evaluate(folder, "--images", 5, "--batch-size", 2).isOk().out();
    double total = value(out, "total");
    assertThat(value(out, "L_T") + value(out, "L_1 to L_5") + value(out, "L_0"))
        .isCloseTo(total, within(2e-5));
    assertThat(out)
        .startsWith("5 images, evenly spread, of ")
        .contains(": 6 of 6 timesteps, variance posterior", "±")
        .containsOnlyOnce("5 images");

    double[][] timesteps = table(folder.resolve("bound.csv"));
    assertThat(timesteps).hasDimensions(6, 6);
    double sum = value(out, "L_T");
    for (int t = 0; t < 6; t++) {
      assertThat(timesteps[t][0]).isEqualTo(t);
      sum += timesteps[t][1] * timesteps[t][2];
    }
    assertThat(sum).isCloseTo(total, within(2e-5));

    double[][] images = table(folder.resolve("bound-images.csv"));
    assertThat(images).hasDimensions(5, 5);
    assertThat(Arrays.stream(images).mapToDouble(line -> line[0]))
        .containsExactly(0.0, 1.0, 2.0, 3.0, 4.0);
    assertThat(Arrays.stream(images).mapToDouble(line -> line[4]).average().orElseThrow())
        .isCloseTo(total, within(2e-5));

    BufferedImage picture = ImageIO.read(folder.resolve("bound.png").toFile());
    // Two charts side by side, with lines in them.
    assertThat(picture.getWidth()).isGreaterThan(2 * picture.getHeight());
    assertThat(coloured(picture, 0, picture.getWidth() / 2)).isGreaterThan(200);
    assertThat(coloured(picture, picture.getWidth() / 2, picture.getWidth())).isGreaterThan(200);
  }

  /** Pixels that are no shade of grey. */
  private static long coloured(BufferedImage picture, int left, int right) {
    int width = right - left;
    int[] all = picture.getRGB(left, 0, width, picture.getHeight(), null, 0, width);
    return Arrays.stream(all)
        .filter(pixel -> Math.abs((pixel >> 16 & 0xff) - (pixel & 0xff)) > 40)
        .count();
  }

  @Test
  void batchesAndThreadsDoNotDecideAndTheSeedDoes() throws IOException {
    Path one = folder.resolve("one");
    Path batches = folder.resolve("batches");
    Path other = folder.resolve("other");
    evaluate(one, "--steps", 4, "--seed", 3).isOk();
    evaluate(batches, "--steps", 4, "--seed", 3, "--batch-size", 5, "--threads", 1).isOk();
    evaluate(other, "--steps", 4, "--seed", 4).isOk();
    assertThat(batches.resolve("bound-images.csv"))
        .hasSameBinaryContentAs(one.resolve("bound-images.csv"));
    assertThat(Files.mismatch(one.resolve("bound-images.csv"), other.resolve("bound-images.csv")))
        .isNotNegative();
    assertThat(table(one.resolve("bound.csv"))).hasNumberOfRows(4);
  }

  @Test
  void filesLieInTheRunIfNothingElseIsSaid() {
    String out = Cli.run("evaluate", "--run", run, "--data", data, "--images", 1).isOk().out();
    assertThat(out)
        .doesNotContain("±")
        .contains(run.resolve("bound.csv").toString(), run.resolve("bound.png").toString());
    assertThat(List.of("bound.csv", "bound-images.csv", "bound.png"))
        .allSatisfy(name -> assertThat(run.resolve(name)).isNotEmptyFile());
  }

  /**
   * Clothes that it has never seen, at some 5.6 bits/dim as docs/bound.md has it; noise has 8.
   * Which clothes depends on whether the machine has the whole data set.
   */
  @Test
  void withoutARunTheModelThatComesAlongIsEvaluated() {
    System.setProperty("ddpm.home", Path.of("..").toAbsolutePath().normalize().toString());
    try {
      String out =
          Cli.run("evaluate", "--images", 32, "--steps", 20, "--offline", "--output", folder)
              .isOk()
              .out();
      assertThat(value(out, "total")).isBetween(3.5, 7.0);
      assertThat(value(out, "L_T")).isBetween(0.0, 1e-4);
    } finally {
      System.clearProperty("ddpm.home");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "--images, 0, --images",
    "--batch-size, 0, --batch-size",
    "--steps, 1, 2 to 6",
    "--steps, 7, 2 to 6",
    "--variance, learned, not learned",
    "--variance, huge, posterior",
    "--clip, maybe, range",
    "--weights, best, ema",
    "--checkpoint, nowhere.safetensors, nowhere.safetensors",
    "--data, nowhere, nowhere",
  })
  void badValuesAreRefused(String option, String value, String part) {
    Cli.run("evaluate", "--run", run, "--offline", option, value).isBadInput(part);
  }

  @Test
  void aRunIsNeeded() {
    Cli.run("evaluate").isBadInput("--run");
    Cli.run("evaluate", "--run", folder).isBadInput(folder.toString());
  }
}
