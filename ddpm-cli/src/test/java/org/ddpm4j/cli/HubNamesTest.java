package org.ddpm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.ddpm4j.diffusion.Parameterization;
import org.ddpm4j.diffusion.run.RunConfig;
import org.ddpm4j.diffusion.run.RunFolder;
import org.ddpm4j.io.SafetensorsReader;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The build sets HF_HOME to a folder of its own and HF_HUB_OFFLINE, so that nothing is fetched. */
class HubNamesTest {

  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
  private static final String NAME = "ddpm4j/hub-names-test";

  @TempDir private static Path temporary;
  private static Path snapshot;

  @BeforeAll
  static void writeCache() throws IOException {
    String home = System.getenv("HF_HOME");
    assumeTrue(home != null && System.getenv("HF_HUB_OFFLINE") != null, "not run by Maven");
    Path model = Path.of(home, "hub", "models--ddpm4j--hub-names-test");
    snapshot = model.resolve("snapshots").resolve(COMMIT);
    Files.createDirectories(model.resolve("refs"));
    Files.writeString(model.resolve("refs").resolve("main"), COMMIT);
    if (Files.exists(snapshot)) {
      // Of an earlier build.
      return;
    }
    TinyPipeline.write(snapshot);
  }

  private static Path draw(Object model) {
    Path output = temporary.resolve("x" + model.toString().length() + ".png");
    Cli.run("sample", "--model", model, "--count", 1, "--steps", 2, "--output", output).isOk();
    return output;
  }

  @Test
  void aModelOfTheCacheIsNamedLikeAFolder() {
    byte[] drawn = bytes(draw(snapshot));
    assertThat(draw(NAME)).hasBinaryContent(drawn);
    assertThat(draw(NAME + "@" + COMMIT)).hasBinaryContent(drawn);
    assertThat(Cli.run("info", NAME).isOk().out()).contains("DDIMScheduler", "UNet2DModel");
    Path anew = temporary.resolve("anew");
    Cli.run("convert", "--model", NAME, "--to", "diffusers", "--output", anew).isOk();
    assertThat(anew.resolve("model_index.json")).exists();
  }

  private static byte[] bytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** The network of the pipeline is found; it is not the one that FIDs are computed with. */
  @Test
  void weightsOfInceptionAreNamedToo() {
    Cli.run("distances", "--model", NAME, "--inception", NAME)
        .isBadInput("diffusion_pytorch_model.safetensors does not have the weights of InceptionV3");
    Cli.run("distances", "--inception", NAME + ":absent.pth")
        .isBadInput("The model ddpm4j/hub-names-test has no file absent.pth");
    Cli.run("distances", "--inception", "ddpm4j/absent").isBadInput("HF_HUB_OFFLINE");
  }

  /** Both ways of it: its weights are those of the files. */
  @Test
  void aTrainingBeginsWithItOrIsTaughtByIt() throws IOException {
    Path data = IdxFixture.write(temporary.resolve("data"), 12, 8, 5);
    List<Object> common =
        List.of(
            "train",
            "--offline",
            "--data",
            data,
            "--steps",
            1,
            "--batch-size",
            4,
            "--sample-steps",
            1,
            "--validation-images",
            0,
            "--run");
    for (String option : List.of("--from", "--distill")) {
      Path run = temporary.resolve("run" + option);
      List<Object> command = new ArrayList<>(common);
      command.addAll(List.of(run, option, NAME + "@" + COMMIT));
      assertThat(Cli.run(command.toArray()).isOk().err())
          .contains("train: beginning with the network of " + NAME + "@" + COMMIT);
      Path weights = snapshot.resolve("unet/diffusion_pytorch_model.safetensors");
      try (SafetensorsReader expected = SafetensorsReader.open(weights);
          SafetensorsReader began =
              SafetensorsReader.open(run.resolve("checkpoints/step-0000000.safetensors"))) {
        assertThat(expected.names()).isNotEmpty();
        for (String name : expected.names()) {
          assertThat(began.tensor("model." + name)).as(name).isEqualTo(expected.tensor(name));
        }
      }
      RunConfig config = RunFolder.open(run).readConfig();
      assertThat(config.training().orElseThrow().initialWeights().orElseThrow().source())
          .isEqualTo(NAME + "@" + COMMIT);
      boolean isTaught = option.equals("--distill");
      assertThat(config.model().parameterization())
          .isEqualTo(isTaught ? Parameterization.CONSISTENCY : Parameterization.EPSILON);
      assertThat(Files.exists(run.resolve("teacher"))).isEqualTo(isTaught);
    }
  }

  @Test
  void aVariantThatItHasNotIsSaid() {
    Cli.run("train", "--from", NAME, "--variant", "fp16", "--run", temporary.resolve("none"))
        .isBadInput("fp16");
    Cli.run("train", "--variant", "fp16")
        .isBadInput("'--variant' goes with '--from' or '--distill'");
  }

  @Test
  void oneThatIsNowhereIsRefused() {
    Cli.run("sample", "--model", "ddpm4j/absent")
        .isBadInput("The model ddpm4j/absent is not in", "HF_HUB_OFFLINE");
    Cli.run("info", NAME + "@v2").isBadInput("ddpm4j/hub-names-test@v2 is not in");
  }

  /** Folders are called like models; who mistyped one hears of it. */
  @ParameterizedTest
  @CsvSource({
    "sample, --model",
    "predict, --model",
    "convert, --model",
    "serve, --model",
    "studio, --model",
    "train, --from",
    "train, --distill"
  })
  void aMistypedFolderIsSaid(String command, String option) {
    Path output = temporary.resolve("nothing");
    List<Object> words = new ArrayList<>(List.of(command, option, "runs/typo"));
    words.addAll(
        switch (command) {
          case "sample" -> List.of("--output", output);
          case "predict" -> List.of("--input", "x.safetensors", "--output", output);
          case "convert" -> List.of("--to", "run", "--output", output);
          case "train" -> List.of("--run", output);
          default -> List.of("--port", 0);
        });
    Cli.run(words.toArray())
        .isBadInput(
            "There is no file or folder " + Path.of("runs", "typo") + ", so a model of the");
    assertThat(output).doesNotExist();
  }
}
