package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GuidanceOptionsTest {

  @TempDir private static Path shared;
  private static Path data;
  private static Path run;

  @TempDir private Path folder;

  @BeforeAll
  static void trainOnce() throws IOException {
    data = IdxFixture.write(shared.resolve("data"), 12, 8, 5);
    run = shared.resolve("run");
    // So few steps leave the classes alike, unless they are large.
    Cli.run(Cli.tinyTraining(data, run, 20, "--class-conditional", "--learning-rate", "0.05"))
        .isOk();
  }

  private static Object[] sample(Object... options) {
    return Stream.concat(Stream.of("sample", "--count", 2, "--steps", 3), Arrays.stream(options))
        .toArray();
  }

  private byte[] picture(Object... options) throws IOException {
    Path output = folder.resolve("picture.png");
    Object[] withOutput =
        Stream.concat(Stream.of("--output", output), Arrays.stream(options)).toArray();
    Cli.run(sample(withOutput)).isOk();
    return Files.readAllBytes(output);
  }

  @Test
  void theScaleGoesFromNoClassToBeyondTheClass() throws IOException {
    byte[] bag = picture("--run", run, "--class", "Bag");
    byte[] none = picture("--run", run, "--class", "none");
    assertThat(none).isNotEqualTo(bag);
    assertThat(picture("--run", run, "--class", "Bag", "--guidance", 1)).isEqualTo(bag);
    assertThat(picture("--run", run, "--class", "Bag", "--guidance", 0)).isEqualTo(none);
    byte[] guided = picture("--run", run, "--class", "Bag", "--guidance", 4);
    assertThat(guided).isNotEqualTo(bag).isNotEqualTo(none);
    byte[] rescaled =
        picture("--run", run, "--class", "Bag", "--guidance", 4, "--guidance-rescale", 0.7);
    assertThat(rescaled).isNotEqualTo(guided).isNotEqualTo(bag);
  }

  @Test
  void outsideOfTheIntervalThereIsNoGuidance() throws IOException {
    byte[] plain = picture("--run", run);
    byte[] guided = picture("--run", run, "--guidance", 4);
    assertThat(guided).isNotEqualTo(plain);
    assertThat(interval("0,1e-9")).isEqualTo(plain);
    assertThat(interval("0,Infinity")).isEqualTo(guided);
  }

  private byte[] interval(String range) throws IOException {
    return picture("--run", run, "--guidance", 4, "--guidance-interval", range);
  }

  private static Object[] modelFolder(Object... more) {
    return Stream.concat(
            Stream.of(
                "--model",
                run.resolve("unet"),
                "--size",
                8,
                "--timesteps",
                6,
                "--parameterization",
                "x0"),
            Arrays.stream(more))
        .toArray();
  }

  /** What a run says of its null class, the user must say of a model folder. */
  @Test
  void ofAModelFolderTheUserSaysTheNullClass() throws IOException {
    byte[] ofRun = picture("--run", run, "--class", "8", "--guidance", 4);
    assertThat(picture(modelFolder("--class", 8, "--guidance", 4, "--null-class", 10)))
        .isEqualTo(ofRun);
    assertThat(picture(modelFolder("--class", 8, "--guidance", 4, "--null-class", 3)))
        .isNotEqualTo(ofRun);
    assertThat(picture(modelFolder("--class", "none", "--null-class", 3)))
        .isEqualTo(picture(modelFolder("--class", 3)));
    Cli.run(sample(modelFolder("--guidance", 4)))
        .isBadInput("known to stand for no class", "name the row by --null-class");
    Cli.run(sample(modelFolder("--null-class", 11)))
        .isBadInput("The null class cannot be 11", "counted from 0, and the network has 11");
    Cli.run(sample("--run", run, "--null-class", 10))
        .isBadInput("The option '--null-class' goes with '--model', which is missing");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--guidance -1 | The guidance scale is -1.0; it must be from 0 to 1000",
        "--guidance 1e300 | The guidance scale is 1.0E300; it must be from 0 to 1000",
        "--guidance 2 --guidance-rescale 1.5 | The guidance rescale is 1.5; it must be from 0 to 1",
        "--guidance 1 --guidance-rescale 0.5 | --guidance 1 is none, so that --guidance-rescale would change nothing",
        "--guidance-rescale 0.5 | The option '--guidance-rescale' goes with '--guidance'",
        "--guidance-interval 0,1 | The option '--guidance-interval' goes with '--guidance'",
        "--guidance 2 --guidance-interval 3 | takes two numbers, as in 0.3,5, but was given [3.0]",
        "--guidance 2 --guidance-interval 3,1 | The noise levels with guidance are 3.0 to 1.0"
      })
  void whatDoesNotFitIsRefused(String options, String message) {
    Object[] all =
        Stream.concat(Stream.of("--run", run), Arrays.stream(options.split(" "))).toArray();
    Cli.run(sample(all)).isBadInput(message);
  }

  @Test
  void aNetworkThatKnowsNoClassOrAlwaysOneIsRefused() {
    Path plain = folder.resolve("plain");
    Cli.run(Cli.tinyTraining(data, plain, 1)).isOk();
    Cli.run(sample("--run", plain, "--guidance", 2))
        .isBadInput("The network was not told classes", "--class-conditional");
    Path always = folder.resolve("always");
    Cli.run(Cli.tinyTraining(data, always, 1, "--class-conditional", "--label-dropout", 0)).isOk();
    Cli.run(sample("--run", always, "--guidance", 2)).isBadInput("train with --label-dropout 0.1");
  }
}
