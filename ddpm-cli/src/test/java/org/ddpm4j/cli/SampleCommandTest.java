package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import org.ddpm4j.diffusion.config.SamplerType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SampleCommandTest {

  @TempDir private static Path shared;
  private static Path run;

  @TempDir private Path folder;

  @BeforeAll
  static void trainOnce() throws IOException {
    Path data = IdxFixture.write(shared.resolve("data"), 12, 8, 5);
    run = shared.resolve("run");
    Cli.run(Cli.tinyTraining(data, run, 2)).isOk();
  }

  private Path sample(String name, Object... more) {
    Path output = folder.resolve(name);
    Object[] args =
        Stream.concat(Stream.of("sample", "--run", run, "--output", output), Stream.of(more))
            .toArray();
    assertThat(Cli.run(args).isOk().out()).isEqualTo(output + "\n");
    return output;
  }

  @Test
  void aGridHasThePlaceForAllImages() throws IOException {
    BufferedImage grid =
        ImageIO.read(sample("a.png", "--count", 5, "--scale", 1, "--seed", 7).toFile());
    // Five images of 8 by 8 in three columns and two rows.
    assertThat(grid.getWidth()).isEqualTo(3 * 9 + 1);
    assertThat(grid.getHeight()).isEqualTo(2 * 9 + 1);
  }

  @Test
  void theSeedDecidesAndTheBatchSizeDoesNot() {
    Path one = sample("1.png", "--count", 5, "--seed", 7);
    Path inBatches = sample("2.png", "--count", 5, "--seed", 7, "--batch-size", 5);
    Path other = sample("3.png", "--count", 5, "--seed", 8);
    assertThat(inBatches).hasSameBinaryContentAs(one);
    assertThat(other.toFile().length()).isPositive();
    assertThat(one).satisfies(file -> assertThat(differ(file, other)).isTrue());
  }

  @Test
  void theThreadsDoNotDecide() {
    Path one = sample("1.png", "--count", 5, "--seed", 7, "--threads", 1);
    Path three = sample("3.png", "--count", 5, "--seed", 7, "--threads", 3, "--layers", "fused");
    assertThat(three).hasSameBinaryContentAs(one);
  }

  /** Clothes are bright in the middle on black; noise is neither. */
  @Test
  void withoutARunTheModelThatComesAlongDrawsClothes() throws IOException {
    Path picture = folder.resolve("clothes.png");
    System.setProperty("ddpm.home", Path.of("..").toAbsolutePath().normalize().toString());
    try {
      Cli.run("sample", "--count", 9, "--steps", 10, "--scale", 1, "--output", picture).isOk();
    } finally {
      System.clearProperty("ddpm.home");
    }
    BufferedImage grid = ImageIO.read(picture.toFile());
    int bright = 0;
    int darkCorners = 0;
    for (int i = 0; i < 9; i++) {
      int left = 1 + i % 3 * 29;
      int top = 1 + i / 3 * 29;
      for (int p = 0; p < 100; p++) {
        bright += (grid.getRGB(left + 9 + p % 10, top + 9 + p / 10) & 0xFF) > 64 ? 1 : 0;
      }
      for (int p = 0; p < 4; p++) {
        darkCorners += (grid.getRGB(left + p % 2, top + p / 2) & 0xFF) < 32 ? 1 : 0;
      }
    }
    assertThat(bright).isGreaterThan(450);
    // A sleeve may reach a corner of one or two of the nine; of noise one pixel in eight is dark.
    assertThat(darkCorners).isGreaterThan(27);
  }

  @Test
  void withoutARunAndWithoutTheProjectBothOptionsAreNamed() {
    Cli.run("sample").isBadInput("--run", "--model");
  }

  @Test
  void referenceLayersDrawTheSameImages() throws IOException {
    BufferedImage fused = ImageIO.read(sample("fused.png", "--count", 4).toFile());
    BufferedImage reference =
        ImageIO.read(sample("ref.png", "--count", 4, "--layers", "reference").toFile());
    for (int y = 0; y < fused.getHeight(); y++) {
      for (int x = 0; x < fused.getWidth(); x++) {
        assertThat(reference.getRGB(x, y) & 0xFF).isCloseTo(fused.getRGB(x, y) & 0xFF, within(1));
      }
    }
  }

  private static boolean differ(Path a, Path b) throws IOException {
    return Files.mismatch(a, b) >= 0;
  }

  @Test
  void singlePicturesAreNumbered() throws IOException {
    Path pictures = sample("single", "--count", 3, "--format", "png");
    try (Stream<Path> files = Files.list(pictures)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("0000.png", "0001.png", "0002.png", "samples.json");
    }
    BufferedImage picture = ImageIO.read(pictures.resolve("0000.png").toFile());
    assertThat(picture.getWidth()).isEqualTo(8);
  }

  @ParameterizedTest
  @CsvSource({"x0, 6", "x, 4"})
  void anAnimationHasAFrameForEachStep(String shown, int steps) throws IOException {
    Path gif =
        sample(
            "a.gif",
            "--count",
            3,
            "--format",
            "gif",
            "--steps",
            steps,
            "--animate",
            shown,
            "--batch-size",
            2);
    ImageReader reader = ImageIO.getImageReadersByFormatName("gif").next();
    try (ImageInputStream stream = ImageIO.createImageInputStream(gif.toFile())) {
      reader.setInput(stream);
      assertThat(reader.getNumImages(true)).isEqualTo(steps);
    } finally {
      reader.dispose();
    }
  }

  @Test
  void theModelFolderGivesTheSameImagesAsItsRun() {
    Path ofRun = sample("run.png", "--count", 4, "--seed", 1);
    Path ofModel = folder.resolve("model.png");
    Cli.run(
            "sample",
            "--model",
            run.resolve("unet"),
            "--size",
            8,
            "--timesteps",
            6,
            "--parameterization",
            "x0",
            "--count",
            4,
            "--seed",
            1,
            "--output",
            ofModel)
        .isOk();
    assertThat(ofModel).hasSameBinaryContentAs(ofRun);
  }

  @Test
  void infoTellsAboutARun() {
    assertThat(Cli.run("info", "--run", run).isOk().out())
        .contains("2 of 2", "fashion-mnist", "linear, T = 6", "12 of 8x8x1", "widths 4, 8")
        .containsPattern(
            "\\ntime +\\d+:\\d\\d:\\d\\d, pictures included\\nspeed +\\d+ images a second\\nmachine +\\S");
  }

  @Test
  void infoTellsAboutAModelAndAFile() {
    assertThat(Cli.run("info", run.resolve("unet")).isOk().out())
        .contains("init_conv.weight", "FLOAT", "parameters");
    assertThat(Cli.run("info", run.resolve("checkpoints/step-0000002.safetensors")).isOk().out())
        .contains("ddpm4j-checkpoint", "exp_avg_sq.init_conv.weight");
  }

  @ParameterizedTest
  @CsvSource({
    "--count, 0, --count",
    "--count, 100001, --count",
    "--batch-size, 0, --batch-size",
    "--scale, 17, --scale",
    "--steps, 0, 1 to 6",
    "--steps, 7, 1 to 6",
    "--variance, huge, posterior",
    "--layers, fastest, 'auto, fused, reference'",
    "--threads, 0, --threads",
    "--precision, double, bfloat16",
    "--clip, maybe, range",
    "--sampler, magic, 'ddpm, ddim, dpm++, dpm++-sde, dpm,'",
    "--spacing, random, 'leading, trailing, linspace'",
    "--variance, beta, 'dpm++ does not take a variance; ddpm does'",
    "--eta, 0.5, 'dpm++ does not take an η; ddim does'",
    "--weights, best, ema",
    "--format, bmp, grid",
    "--seed, x, --seed",
    "--timesteps, 5, '--timesteps'",
    "--size, 8, '--size'",
    "--checkpoint, nowhere.safetensors, nowhere.safetensors",
  })
  void badValuesAreRefused(String option, String value, String part) {
    Cli.run("sample", "--run", run, option, value).isBadInput(part);
  }

  /** Other programs would take it for what it is not. */
  @ParameterizedTest
  @CsvSource({
    "grid, x.jpg, png",
    "grid, x.png.GIF, png",
    "gif, x.png, gif",
    "safetensors, x.webp, safetensors",
  })
  void aNameThatSaysAnotherKindIsRefused(String format, String name, String kind) {
    Path file = folder.resolve(name);
    Cli.run("sample", "--run", run, "--format", format, "--output", file)
        .isBadInput(
            "--output is %s, but what is written is a file of the kind %s; give it a name that ends in .%s."
                .formatted(file, kind, kind));
    assertThat(file).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"x", "x.PNG", "x.of-monday", ".jpg.png"})
  void otherNamesAreTheUsers(String name) {
    Path file = folder.resolve(name);
    Cli.run("sample", "--run", run, "--steps", 1, "--count", 1, "--output", file).isOk();
    assertThat(file).isNotEmptyFile();
  }

  @ParameterizedTest
  @EnumSource
  void everySamplerDraws(SamplerType type) throws IOException {
    Path one = sample("1.png", "--count", 2, "--sampler", type.toString(), "--steps", 5);
    Path again =
        sample(
            "2.png", "--count", 2, "--sampler", type.toString(), "--steps", 5, "--batch-size", 2);
    assertThat(again).hasSameBinaryContentAs(one);
    Path usual = sample("3.png", "--count", 2, "--steps", 5);
    assertThat(differ(one, usual)).isEqualTo(type != SamplerType.DPM_SOLVER);
  }

  @Test
  void samplersTakeTheirOptions() throws IOException {
    Path plain = sample("1.png", "--count", 2, "--sampler", "dpm++", "--steps", 4);
    String[][] options = {
      {"--order", "1"},
      {"--spacing", "trailing"},
      {"--karras"},
      {"--levels", "beta"},
      {"--clip", "dynamic"},
    };
    for (String[] option : options) {
      Object[] args =
          Stream.concat(
                  Stream.of("--count", 2, "--sampler", "dpm++", "--steps", 4), Stream.of(option))
              .toArray();
      assertThat(differ(sample("2.png", args), plain)).as(option[0]).isTrue();
    }
    Path ddim = sample("3.png", "--count", 2, "--sampler", "ddim", "--steps", 4);
    assertThat(
            differ(
                sample("4.png", "--count", 2, "--sampler", "ddim", "--steps", 4, "--eta", 1), ddim))
        .isTrue();
    Cli.run("sample", "--run", run, "--sampler", "ddpm", "--order", 2)
        .isBadInput("ddpm does not take an order");
    Cli.run("sample", "--run", run, "--sampler", "pndm", "--karras", "--steps", 5)
        .isBadInput("pndm does not take other levels than those of timesteps");
    Cli.run("sample", "--run", run, "--karras", "--spacing", "leading", "--steps", 5)
        .isBadInput("dpm++ with --levels karras has times of its own; leave out --spacing");
    Cli.run("sample", "--run", run, "--sampler", "lcm", "--spacing", "leading", "--steps", 5)
        .isBadInput("lcm has times of its own; leave out --spacing");
    Cli.run("sample", "--run", run, "--sampler", "dpm++", "--order", 4, "--steps", 5)
        .isBadInput("The order of DPM-Solver++ is 4; it must be from 1 to 3.");
    Cli.run("sample", "--run", run, "--sampler", "dpm++", "--variance", "beta", "--steps", 5)
        .isBadInput("dpm++ does not take a variance");
    Cli.run("sample", "--run", run, "--sampler", "pndm", "--steps", 3)
        .isBadInput("3 steps are too few for PNDM");
    // As many steps as timesteps.
    assertThat(sample("5.png", "--count", 2, "--sampler", "unipc", "--steps", 6)).isNotEmptyFile();
  }

  @Test
  void tooLargeAPictureIsRefused() {
    Cli.run("sample", "--run", run, "--count", 100_000, "--scale", 16).isBadInput("--scale");
  }

  @Test
  void aSizeThatDoesNotDivideIsRefused() {
    Cli.run("sample", "--model", run.resolve("unet"), "--size", "8x9").isBadInput("8x9");
    Cli.run("sample", "--model", run.resolve("unet"), "--size", "large").isBadInput("--size");
    Cli.run("sample", "--model", run.resolve("unet")).isBadInput("--size");
  }

  @Test
  void runOrModelMustBeGiven() {
    Cli.run("sample").isBadInput("--run", "--model");
    Cli.run("sample", "--run", run, "--model", run).isBadInput("--run", "--model");
  }

  @Test
  void whatIsNoRunIsRefused() {
    Cli.run("sample", "--run", folder).isBadInput(folder.toString());
    Cli.run("info", folder.resolve("nothing")).isBadInput("nothing");
    Cli.run("info", folder).isBadInput(folder.toString());
  }
}
